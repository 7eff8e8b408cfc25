// A process of its own that decides: node writer.js FOLDER ANNOTATOR NAME COUNT. Prints the name of each decision once it is acknowledged.
import { newLabels } from '../../../src/core/labels/task';
import { exampleId } from '../../../src/core/text/normalize';
import { NodeFileSystem } from '../../../src/platform/node/fileSystem';
import { JournalStore } from '../../../src/storage/journalStore';

const task = { formatVersion: 1, name: 'reviews', kind: 'single', labels: newLabels(['good']), sources: [] } as const;

async function main(folder: string, annotator: string, name: string, count: number): Promise<void> {
  const { store, problems } = await JournalStore.open({ fileSystem: new NodeFileSystem(), folder, task, annotator });
  for (const { code, message } of problems) if (code !== 'journal.torn') throw new Error(message);
  const decide = async (texts: readonly string[]): Promise<void> => {
    await store.append(texts.map((text) => ({ example: exampleId(text), text, status: 'labeled', label: 'good', origin: 'key' })));
    // a pipe takes it before this returns
    process.stdout.write(`${texts.join('\n')}\n`);
  };
  for (let index = 0; index < count; index += 5) {
    // one key after the other, keys faster than the disk, and a bulk
    await decide([`${name} ${index}`]);
    await Promise.all([decide([`${name} ${index + 1}`]), decide([`${name} ${index + 2}`])]);
    await decide([`${name} ${index + 3}`, `${name} ${index + 4}`]);
  }
}

const [folder, annotator, name, count] = process.argv.slice(2);
main(folder ?? '', annotator ?? '', name ?? '', Number(count)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
