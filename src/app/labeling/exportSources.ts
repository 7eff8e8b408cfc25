import type { DecisionSource } from '../../core/labels/decision';
import type { TaskSource } from '../../core/labels/task';
import { joinPath } from '../modelStore';
import type { ExportSource } from './exportLabels';
import { readPool, type PoolOptions } from './pool';

/** The sources of a task as an export reads them. A folder is read when its texts are asked for, in the order of its files. */
export function exportSources(options: Omit<PoolOptions, 'onProgress'>): ExportSource[] {
  return options.sources.map((source): ExportSource =>
    source.kind === 'table'
      ? { kind: 'table', file: source.file, textColumns: source.textColumns, open: () => options.openInput(joinPath(options.folder, source.file)) }
      : { kind: 'folder', folder: source.folder, texts: () => folderTexts(options, source) },
  );
}

async function* folderTexts(options: Omit<PoolOptions, 'onProgress'>, source: TaskSource): AsyncGenerator<{ readonly text: string; readonly source: DecisionSource }> {
  const { pool, done } = readPool({ ...options, sources: [source] });
  await done;
  const byFile = new Map<string, { readonly text: string; readonly source: DecisionSource }[]>();
  for (let position = 0; position < pool.size; position++) {
    for (const place of pool.sourcesAt(position)) {
      const text = { text: pool.textAt(position), source: place };
      const same = byFile.get(place.file);
      if (same) same.push(text);
      else byFile.set(place.file, [text]);
    }
  }
  for (const file of [...byFile.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))) yield* (byFile.get(file) ?? []).sort((a, b) => (a.source.start ?? 0) - (b.source.start ?? 0));
}
