import * as assert from 'node:assert';
import { mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as vscode from 'vscode';
import type { ClassifiedFile, ClassifyFileArguments } from '../../../src/commands/classifyFile';
import { commandIds } from '../../../src/commands/ids';
import { closeAll, useWordModel } from './support';

describe('Classify File', () => {
  let folder: string;
  before(async () => {
    await useWordModel();
    folder = mkdtempSync(path.join(tmpdir(), 'label-lens-classify-'));
  });
  after(async () => {
    await closeAll();
    rmSync(folder, { recursive: true, force: true });
  });

  const classify = async (args: ClassifyFileArguments): Promise<ClassifiedFile | undefined> => await vscode.commands.executeCommand<ClassifiedFile | undefined>(commandIds.classifyFile, args);
  const place = (name: string, content: string | Uint8Array): vscode.Uri => {
    writeFileSync(path.join(folder, name), content);
    return vscode.Uri.file(path.join(folder, name));
  };
  const added = /,predicted,score|,(?:positive|negative),[01](?:\.\d+)?/g;

  it('adds two columns and leaves every other byte of an ugly file as it was', async () => {
    // byte order mark, three kinds of line ends, quoted breaks and quotes, a blank line, a long row, a broken byte, no line end at the end
    const ugly = Buffer.concat([
      Buffer.from('\ufeffid,"re""view",stars\r\n1,"A lovely,\r\nand ""good"" kettle",5\n2,\'It is broken\',1\r\n\r\n3,很好，喜欢,5\r4,rude people ,1,extra,fields\n5,"br'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('oken",2'),
    ]);
    const source = place('ugly.csv', ugly);
    const output = vscode.Uri.file(path.join(folder, 'ugly.predicted.csv'));
    const result = await classify({ source, output, columns: ['re"view'] });
    assert.strictEqual(result?.rows, 5);
    const copy = readFileSync(output.fsPath).toString('latin1');
    assert.strictEqual(copy.match(added)?.length, 6, copy);
    assert.strictEqual(copy.replace(added, ''), ugly.toString('latin1'));
    assert.ok(copy.includes('"re""view",stars,predicted,score\r\n'), copy);
    assert.deepStrictEqual(readFileSync(source.fsPath), ugly, 'the file itself is not touched');
    assert.ok(result.defects > 0);
  });

  it('reads and writes gzip, JSON Lines and plain text', async () => {
    const packed = place('packed.csv.gz', gzipSync('text\ngood\nbad\n'));
    const packedOutput = vscode.Uri.file(path.join(folder, 'out.csv.gz'));
    await classify({ source: packed, output: packedOutput, columns: ['text'] });
    assert.match(gunzipSync(readFileSync(packedOutput.fsPath)).toString(), /^text,predicted,score\ngood,positive,0\.\d+\nbad,negative,0\.\d+\n$/);

    const lines = place('lines.jsonl', '{"text": "good"}\n{"text": "bad"}\n');
    const linesOutput = vscode.Uri.file(path.join(folder, 'lines.out.jsonl'));
    await classify({ source: lines, output: linesOutput, columns: ['text'] });
    assert.match(readFileSync(linesOutput.fsPath, 'utf8'), /^\{"text": "good", "predicted": "positive", "score": 0\.\d+\}\n/);

    const text = place('notes.txt', 'good\nbad, really\n');
    const textOutput = vscode.Uri.file(path.join(folder, 'notes.predicted.csv'));
    await classify({ source: text, output: textOutput, columns: ['text'] });
    assert.match(readFileSync(textOutput.fsPath, 'utf8'), /^text,predicted,score\ngood,positive,0\.\d+\n"bad, really",negative,0\.\d+\n$/);
  });

  it('leaves nothing behind when it is cancelled in the middle', async () => {
    const source = place('long.csv', `text\n${'A lovely and good kettle that I would buy again\n'.repeat(400_000)}`);
    const before = readdirSync(folder).sort();
    const cancel = new vscode.CancellationTokenSource();
    // the first thing to be seen of the work is the file that is being written
    const watcher = watch(folder, () => cancel.cancel());
    const result = await classify({ source, output: vscode.Uri.file(path.join(folder, 'long.predicted.csv')), columns: ['text'], token: cancel.token });
    watcher.close();
    assert.ok(cancel.token.isCancellationRequested, 'it was seen at work');
    assert.strictEqual(result, undefined);
    assert.deepStrictEqual(readdirSync(folder).sort(), before);
  });

  it('leaves nothing behind when it fails, and does not replace the file itself', async () => {
    const source = place('fails.csv', 'text\ngood\n');
    const before = readdirSync(folder).sort();
    assert.strictEqual(await classify({ source, output: vscode.Uri.file(path.join(folder, 'fails.predicted.csv')), columns: ['no such column'] }), undefined);
    assert.strictEqual(await classify({ source, output: source, columns: ['text'] }), undefined);
    assert.deepStrictEqual(readdirSync(folder).sort(), before);
    assert.strictEqual(readFileSync(source.fsPath, 'utf8'), 'text\ngood\n');
  });

  it('finds the text column of a plain table by itself', async () => {
    const rows = Array.from({ length: 30 }, (_, row) => `${row},Kettle ${row % 3},"A lovely day number ${row}, with friendly people and a good breakfast"`);
    const source = place('plain.csv', `id,product,review\n${rows.join('\n')}\n`);
    const result = await classify({ source, output: vscode.Uri.file(path.join(folder, 'plain.predicted.csv')) });
    assert.strictEqual(result?.labels.get('positive'), 30);
  });
});
