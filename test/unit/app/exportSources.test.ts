import * as assert from 'node:assert';
import { exportLabels } from '../../../src/app/labeling/exportLabels';
import { exportSources } from '../../../src/app/labeling/exportSources';
import { MemoryFileSystem } from './memoryFileSystem';
import { MemorySink } from './memorySink';

describe('exportSources', () => {
  it('gives the texts of a folder in the order of its files and within them, equal texts in each place', async () => {
    const fileSystem = new MemoryFileSystem();
    fileSystem.put('/w/notes/b10.md', 'same\n\nlast');
    fileSystem.put('/w/notes/b9.md', 'first\n\nsame');
    const sources = exportSources({
      folder: '/w',
      sources: [{ kind: 'folder', folder: 'notes', unit: 'paragraph' }],
      fileSystem,
      openInput: () => Promise.reject(new Error('no table')),
      pause: () => Promise.resolve(),
    });
    const sink = new MemorySink();
    await exportLabels({ sources, texts: { stateOf: () => undefined, guessOf: () => undefined }, format: 'copy', columns: ['status'], rows: 'all', safeCells: false, pause: () => Promise.resolve() }, [sink]);
    assert.strictEqual(sink.text, 'file,start,end,text,status\nnotes/b9.md,0,5,first,open\nnotes/b9.md,7,11,same,open\nnotes/b10.md,0,4,same,open\nnotes/b10.md,6,10,last,open\n');
  });
});
