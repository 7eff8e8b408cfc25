import { RecordReader } from '../core/csv/reader';
import { HumanError } from '../core/errors';
import type { ReportSection } from '../core/report/document';
import { comparisonSections } from '../core/report/comparison';
import type { ReportStrings } from '../core/report/strings';
import type { Predictor } from '../inference/predictor';
import { compareOnRows, mostCompared } from './compare';
import { readLabeled } from './labeledRows';
import { partNames, prepareFile, type PartName } from './prepare';
import type { RecordSink } from './recordSink';
import type { DataTools } from './trainingWorkshop';

export interface DataToolsOptions {
  /** A table's name, as a person knows it. */
  readonly nameOf: (table: string) => string;
  readonly open: (table: string) => Promise<{ readonly chunks: AsyncIterable<Uint8Array> }>;
  /** Tables of these names beside `table`: their ids, and what writes them. @throws CancelledError when the person does not want one replaced that is there */
  readonly beside: (table: string, names: readonly string[]) => Promise<readonly Part[]>;
  readonly predictor: Pick<Predictor, 'load' | 'predict'>;
  readonly strings: () => ReportStrings;
  readonly pause: () => Promise<void>;
}

interface Part {
  readonly id: string;
  readonly sink: RecordSink;
}

/** Of the bootstrap of comparisons. */
const SEED = 1;

/** What the training panel does with data besides training, on files. */
export function dataTools({ nameOf, open, beside, predictor, strings, pause }: DataToolsOptions): DataTools {
  return {
    async prepare({ table, choice, signal }) {
      const { data, labelValues, words, dropRepeats, dropContradictory, shares, seed } = choice;
      const stem = nameOf(table).replace(/\.gz$/i, '').replace(/(?<=.)\.[^.]*$/, '');
      const input = await open(table);
      const [train, valid, test] = (await beside(table, partNames.map((part) => `${stem}-${part}.csv`))) as readonly [Part, Part, Part];
      const parts: Readonly<Record<PartName, Part>> = { train, valid, test };
      const { dropped, parts: written } = await prepareFile({
        kind: data.kind,
        labelColumn: data.labelColumn,
        textColumns: data.textColumns,
        chunks: input.chunks,
        reader: new RecordReader(nameOf(table)),
        sinks: { train: parts.train.sink, valid: parts.valid.sink, test: parts.test.sink },
        map: new Map(labelValues.map(({ from, to }) => [from, to])),
        onlyMapped: false,
        ...(words === undefined ? {} : { words }),
        dropRepeated: dropRepeats,
        dropContradictory,
        shares,
        seed,
        pause,
        signal,
      });
      return {
        files: partNames.filter((part) => shares[part] > 0).map((part) => ({ part, id: parts[part].id, name: nameOf(parts[part].id), rows: written[part].rows })),
        dropped: Object.values<number>({ ...dropped }).reduce((sum, rows) => sum + rows, 0),
      };
    },
    async compare({ data, models, signal, onProgress }): Promise<readonly ReportSection[]> {
      if (models.length > mostCompared) throw new HumanError('compare.many', 'At most {0} models are compared at once. Choose fewer.', [mostCompared]);
      const file = nameOf(data.file);
      const { chunks } = await open(data.file);
      const { kind, labelColumn, textColumns } = data;
      const { rows } = await readLabeled({ ...(kind === 'single' ? {} : { kind }), labelColumn, textColumns, chunks, reader: new RecordReader(file), signal });
      const { comparison, result } = await compareOnRows({ rows, file, labelColumn, models: models.map((model) => ({ name: model.name, model })), predictor, seed: SEED, pause, signal, onProgress });
      return comparisonSections(comparison, result, strings());
    },
  };
}
