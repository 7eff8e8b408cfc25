import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Bars } from './bars';
import { median, type CapacityProbe } from './measure';
import { batchSize, stepOperations, type ModelName } from './models';
import type { Answer, Player } from './players';

/** Those whose loss and gradient agree with the first one's. Stock layers know no lengths, so they are not asked for ragged batches; on the cpu they are asked for the small model only. */
export async function compareGradients(players: readonly Player[], model: ModelName, folder: string): Promise<Player[]> {
  const right = new Set(players);
  for (const ragged of [false, true]) {
    let reference: { loss: number; gradient: Float32Array } | undefined;
    for (const player of [...right]) {
      const stock = player.name.startsWith('tf.layers');
      if (stock && ragged) continue;
      if (player.name === 'tf.layers cpu' && model !== 'LSTM-64') {
        right.delete(player);
        continue;
      }
      const output = path.join(folder, 'gradient.bin');
      const loaded = await player.ask({ do: 'load', model, forgetBias: 1 });
      const { loss, error } = loaded.error ? loaded : await player.ask({ do: 'gradient', time: 20, ragged, output });
      if (loss === undefined) {
        console.log(`${player.name} does not run: ${error}`);
        right.delete(player);
        continue;
      }
      const gradient = new Float32Array(new Uint8Array(readFileSync(output)).buffer);
      reference ??= { loss, gradient };
      let apart = Math.abs(gradient.length - reference.gradient.length);
      gradient.forEach((value, i) => (apart = Math.max(apart, Math.abs(value - reference!.gradient[i]!))));
      const wrong = !(apart <= 1e-6 && Math.abs(loss - reference.loss) <= 1e-5);
      console.log(`${model}, ${ragged ? 'ragged' : 'full'} batch, ${player.name}: loss ${loss.toFixed(6)}, gradients ${apart.toExponential(1)} from the first${wrong ? ': NOT TIMED' : ''}`);
      if (wrong) right.delete(player);
    }
  }
  return [...right];
}

/** Steps that take a third of a second at 20 GFLOP/s. */
const stepsOf = (model: ModelName, time: number): number => Math.max(1, Math.round(6e9 / stepOperations(model, time)));

/** GFLOP/s that tell what a race means. */
export interface Yardsticks {
  /** The most multiply-adds that our instructions, 128 bits wide, can do on this processor. */
  readonly peak: number;
  /** PyTorch's own matrix products. */
  readonly torchProducts: number;
}

/** Times training steps, each contender in turn, and prints the medians. */
export async function race(players: readonly Player[], model: ModelName, time: number, rounds: number, { peak, torchProducts }: Yardsticks, bars: Bars): Promise<void> {
  const operations = stepOperations(model, time);
  const runners: { player: Player; count: number; rounds: number; answers: Answer[] }[] = [];
  for (const player of players) {
    if (player.name === 'tf.layers cpu' && time > 64) continue;
    await player.ask({ do: 'load', model, forgetBias: 1 });
    // the far slower ones, which a first step tells, get fewer steps
    const { cpu = 0 } = await player.ask({ do: 'steps', time, count: 1 });
    const slow = cpu > 20 * (operations / 20e6);
    const count = slow ? Math.max(1, Math.round(300 / cpu)) : stepsOf(model, time);
    if (!slow) await player.ask({ do: 'steps', time, count: Math.min(count, 4) });
    runners.push({ player, count, rounds: cpu > 2000 ? 1 : slow ? Math.min(3, rounds) : rounds, answers: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { player, count, answers, rounds: own } of runners) if (round < own) answers.push(await player.ask({ do: 'steps', time, count }));
  }

  const ours = runners.find(({ player }) => player.name === 'Label Lens')?.answers;
  const figures = new Map(
    runners.map(({ player, answers }) => [
      player.name,
      {
        cpu: median(answers.map(({ cpu }) => cpu!)),
        wall: median(answers.map(({ wall }) => wall!)),
        // round by round: what slows a round down slows both
        ratio: ours && median(answers.map(({ cpu }, round) => cpu! / ours[round]!.cpu!)),
      },
    ]),
  );
  console.log(`\n${`${model}, T = ${time}`.padEnd(24)}CPU ms a step   wall ms   examples/s (CPU)   GFLOP/s   of the peak   Label Lens is (CPU)`);
  for (const [name, { cpu, wall, ratio }] of figures) {
    const gflops = operations / cpu / 1e6;
    const share = `${((100 * gflops) / peak).toFixed(0)} %`;
    const compared = ratio === undefined || name === 'Label Lens' ? '' : `${ratio.toFixed(2)}× as fast`;
    const cells = [cpu.toFixed(2).padStart(11), wall.toFixed(2).padStart(9), ((batchSize / cpu) * 1e3).toFixed(0).padStart(18), gflops.toFixed(1).padStart(9), share.padStart(13), compared.padStart(21)];
    console.log(`  ${name.padEnd(24)}${cells.join(' ')}`);
  }

  const against = (name: string): number | undefined => figures.get(name)?.ratio;
  const where = `${model}, T = ${time}`;
  const torch = against('PyTorch, sparse Adam');
  const whatTorch = `${where}, speed against PyTorch with row-sparse Adam`;
  // a BLAS for this processor has wider vectors than we have; Debian's python3-torch alone brings one without any
  if (torch !== undefined && torchProducts < peak)
    bars.open(whatTorch, `${torch.toFixed(2)}×, but its matrix products run at ${torchProducts.toFixed(1)} GFLOP/s, so it has no optimised BLAS and to beat it means nothing (Debian: apt-get install libopenblas0)`);
  else if (torch !== undefined) bars.atLeast(model === 'LSTM-64' ? 1 : 0.75, whatTorch, torch, '×', model === 'LSTM-64' ? '' : 'to be aimed at: 0.9×');
  const layers = against('tf.layers wasm');
  if (layers !== undefined) bars.atLeast(model === 'LSTM-64' ? 15 : 10, `${where}, speed against tf.layers on wasm`, layers);
  const bare = against('kernels without tfjs');
  if (bare !== undefined && model === 'LSTM-64' && time === 20) bars.atMost(10, `${where}, share of the tfjs shell in a step`, 100 * (1 - bare), ' %');
}

/** Cores that count as two free ones: with fewer, the gain would tell of the other users. */
const twoCores = 1.7;

/** What the second worker brings by the clock: both in turns, and before and after each pair a look at how many cores are free. */
export async function raceWorkers(one: Player, two: Player, model: ModelName, time: number, rounds: number, probe: CapacityProbe, bars: Bars): Promise<void> {
  // short, so that the cores stay free
  const count = Math.max(1, Math.round(stepsOf(model, time) / 2));
  for (const player of [one, two]) {
    await player.ask({ do: 'load', model, forgetBias: 1 });
    await player.ask({ do: 'steps', time, count: Math.min(count, 4) });
  }
  const pairs: { readonly gain: number; readonly possible: number; readonly cores: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = probe.cores();
    const alone = await one.ask({ do: 'steps', time, count });
    const between = probe.cores();
    const together = await two.ask({ do: 'steps', time, count });
    pairs.push({ gain: alone.wall! / together.wall!, possible: alone.cpu! / (together.longer ?? NaN), cores: Math.min(before, between, probe.cores()) });
  }
  const free = pairs.filter(({ cores }) => cores >= twoCores);
  const what = `${model}, T = ${time}, two workers against one by the clock`;
  const possible = median(pairs.map((pair) => pair.possible));
  const overall = median(pairs.map(({ gain }) => gain));
  const summary = `${free.length} of ${rounds} rounds had two cores free (${median(pairs.map(({ cores }) => cores)).toFixed(2)} in the median)`;
  console.log(
    `${what}: ${free.length > 0 ? `${median(free.map(({ gain }) => gain)).toFixed(2)}× with two cores free, ` : ''}${overall.toFixed(2)}× over all rounds; ${summary}` +
      (Number.isNaN(possible) ? '' : `; by the CPU time of the thread that computes longer ${possible.toFixed(2)}×`),
  );
  if (time < 64) return;
  const bar = time < 200 ? 1.5 : 1.6;
  if (free.length >= Math.min(3, rounds)) bars.atLeast(bar, what, median(free.map(({ gain }) => gain)), '×', summary);
  // cores that others use can only hide a gain
  else if (overall >= bar) bars.atLeast(bar, what, overall, '×', `over all rounds, though only ${summary}`);
  else bars.open(what, `${overall.toFixed(2)}× over all rounds; ${summary}, too few to tell`);
}

/** What vanishing gradients cost: forget bias 0 and 400 steps, against forget bias 1. */
export async function longText(player: Player, rounds: number, bars: Bars): Promise<void> {
  const cpu: Record<number, number[]> = { 0: [], 1: [] };
  for (let round = 0; round < rounds; round++) {
    for (const forgetBias of [0, 1]) {
      await player.ask({ do: 'load', model: 'LSTM-64', forgetBias });
      await player.ask({ do: 'steps', time: 400, count: 1 });
      cpu[forgetBias]!.push((await player.ask({ do: 'steps', time: 400, count: 3 })).cpu!);
    }
  }
  const [zero, one] = [median(cpu[0]!), median(cpu[1]!)];
  console.log(`\nLSTM-64, T = 400, forget bias 0 against 1: ${zero.toFixed(1)} and ${one.toFixed(1)} ms of CPU a step, ${(zero / one).toFixed(2)}×`);
  bars.atMost(1.3, 'LSTM-64, T = 400, time of a step with forget bias 0 against 1', zero / one);
}

/** What each contender needs at most for BiLSTM-128 and texts of 200 tokens, in a process that does nothing else. */
export async function memory(players: readonly Player[], bars: Bars): Promise<void> {
  console.log('\nGreatest resident set, BiLSTM-128, T = 200, in a process of its own');
  for (const { name, again } of players) {
    // minutes a step
    if (name === 'tf.layers cpu') continue;
    const player = again();
    await player.hello;
    await player.ask({ do: 'load', model: 'BiLSTM-128', forgetBias: 1 });
    await player.ask({ do: 'steps', time: 200, count: name.startsWith('tf.layers') ? 1 : 8 });
    const { peak, error } = await player.ask({ do: 'memory' });
    player.end();
    console.log(`  ${name.padEnd(24)}${peak === undefined ? error : `${peak.toFixed(0)} MB`}`);
    if (name === 'Label Lens' && peak !== undefined) bars.atMost(250, 'Greatest resident set of training, one worker, BiLSTM-128, T = 200', peak, ' MB');
  }
}
