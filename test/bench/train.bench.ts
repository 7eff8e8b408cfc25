/**
 * How fast training is: this trainer with one and two workers, tfjs by itself and PyTorch (if a Python has it), each in a process of its own, in turns, on the same weights and batches.
 *
 *   npm run bench:train [-- --rounds N] [--only LSTM-64|BiLSTM-128] [--times 20,64,200] [--contenders 'Label Lens,PyTorch'] [--sections products,race,workers,long,memory,fine-tune]
 *
 * PYTHON=… names the Python to ask for torch (Debian: apt-get install python3-torch libopenblas0). Needs a Node that takes relaxed SIMD (22 and later) to show what the extension does in VS Code.
 *
 * First all contenders compute the loss and the gradient of one batch; one that differs from the others is not timed. What counts is CPU time: it does not depend on who else uses the machine.
 * What a second worker brings shows only by the clock, so that section looks before and after each measurement whether two cores are free. The end lists what the issue "Training at native
 * speed" asks for, and whether this run has shown it; nothing fails.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { parentPort } from 'node:worker_threads';
import { supportsRelaxed } from '../../src/training/kernels/kernels';
import { Bars } from './train/bars';
import { contenders, type NodeContender } from './train/contenders';
import { fineTune } from './train/fineTune';
import { CapacityProbe, products, spinBeside } from './train/measure';
import { batchSize, models, vocabularySize, type ModelName } from './train/models';
import { nodePlayer, serveContender, torchPlayers } from './train/players';
import { compareGradients, longText, memory, race, raceWorkers } from './train/races';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      only: { type: 'string' },
      times: { type: 'string', default: '20,64,200' },
      contenders: { type: 'string', default: '' },
      sections: { type: 'string', default: 'products,race,workers,long,memory,fine-tune' },
    },
  });
  const wanted = (name: string): boolean => values.contenders.split(',').some((part) => name.includes(part));
  const sections = new Set(values.sections.split(','));
  const rounds = Number(values.rounds);
  const times = values.times.split(',').map(Number);
  const bars = new Bars();
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, relaxed SIMD ${supportsRelaxed() ? 'yes' : 'no'}; batch ${batchSize}, vocabulary ${vocabularySize}`);

  const folder = mkdtempSync(path.join(tmpdir(), 'label-lens-bench-'));
  const ours = (Object.keys(contenders) as NodeContender[]).filter((name) => wanted(name) && (supportsRelaxed() || !name.includes('plain'))).map(nodePlayer);
  const torch = wanted('PyTorch') ? await torchPlayers(folder) : undefined;
  const players = [...ours, ...(torch?.players ?? [])];
  const probe = await CapacityProbe.start();
  const [one, two] = ['Label Lens', 'Label Lens, 2 workers'].map((name) => players.find((player) => player.name === name));
  try {
    if (sections.has('products')) await products('plain');
    const peak = await products(supportsRelaxed() ? 'relaxed' : 'plain');
    for (const model of Object.keys(models) as ModelName[]) {
      if (values.only && values.only !== model) continue;
      if (sections.has('race')) {
        const right = await compareGradients(players, model, folder);
        for (const time of times) await race(right, model, time, rounds, { peak, torchProducts: torch?.products ?? 0 }, bars);
        console.log('');
      }
      // many short rounds, for some to fall where nobody else computes
      if (sections.has('workers') && one && two) for (const time of times) await raceWorkers(one, two, model, time, 3 * rounds, probe, bars);
    }
    if (sections.has('long') && one) await longText(one, rounds, bars);
    if (sections.has('memory')) await memory(players, bars);
    if (sections.has('fine-tune')) await fineTune(Math.min(3, rounds), bars);
    bars.print();
  } finally {
    await probe.end();
    players.forEach((player) => player.end());
    rmSync(folder, { recursive: true, force: true });
  }
}

const contender = process.argv.indexOf('--contender');
if (process.argv.includes('--spin')) void spinBeside((message) => parentPort!.postMessage(message));
else if (contender > 0) void serveContender(process.argv[contender + 1] as NodeContender);
else void main();
