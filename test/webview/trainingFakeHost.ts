import { HumanError } from '../../src/core/errors';
import type { ReportSection } from '../../src/core/report/document';
import type { Handlers } from '../../src/core/protocol/rpc';
import type { ComparisonChoice, DataChoice, DataPreview, PanelComparison, PanelFile, PanelModel, PanelTable, PanelTraining, PrepareChoice, TrainingChoice, TrainingForm, TrainingPanelMethods } from '../../src/core/protocol/trainingPanel';
import { PageLine } from './pageLine';

export interface FakeTraining {
  readonly strings?: Readonly<Record<string, string>>;
  readonly language?: string;
  /** The panel is opened beside this table. */
  readonly inFront?: PanelTable;
  /** No table is in the editor. */
  readonly noTable?: boolean;
  readonly form?: TrainingForm;
}

export const reviews: PanelTable = {
  id: 'file:///hotel/reviews.csv',
  name: 'reviews.csv',
  columns: [
    { name: 'id', samples: ['1', '2', '3'] },
    { name: 'title', samples: ['Fast and quiet', 'Broke at once'] },
    { name: 'text', samples: ['It boils a litre in two minutes and one hardly hears it.', 'The lid came off on the second day.'] },
    { name: 'sentiment', samples: ['positive', 'negative', 'neutral', 'positive'] },
    { name: 'stars', samples: ['5', '1', '3'] },
  ],
  guess: { label: 'sentiment', text: ['text'] },
};

/** Rows to check with, whose columns stand in another order and in capitals. */
export const checks: PanelTable = { ...reviews, id: 'file:///hotel/checks.csv', name: 'checks.csv', columns: ['Text', 'Sentiment', 'title'].map((name) => ({ name, samples: [] })) };

export const glove: PanelFile = { id: 'file:///vectors/glove.6B.100d.txt', name: 'glove.6B.100d.txt' };

const models: readonly PanelModel[] = [
  { name: 'sentiment', origin: 'shipped', kind: 'single', labels: ['negative', 'positive'], preset: 'bilstm-pool', inUse: true },
  { name: 'reviews/v1', origin: 'workspace', kind: 'single', labels: ['negative', 'neutral', 'positive'], preset: 'bilstm-pool', inUse: false },
  { name: 'stars/v3', origin: 'workspace', kind: 'number', labels: [], preset: 'bilstm-pool', inUse: false },
];

/** A loss curve as `core/report` draws figures: classes in the place of colours. */
export function curve(points: readonly number[]): string {
  const at = (value: number, index: number): string => `${(40 + (index * 560) / Math.max(1, points.length - 1)).toFixed(1)},${(20 + 160 * (1 - value)).toFixed(1)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 220" class="report-chart"><line class="report-axis" x1="40" y1="180" x2="600" y2="180"/><polyline class="report-line report-stroke-1" points="${points.map(at).join(' ')}"/><text class="report-faint-text" x="40" y="200">0</text></svg>`;
}

/** The training panel's host in memory: does what the page asks as the real one does, in the test's process. */
export class TrainingFakeHost {
  readonly line = new PageLine<TrainingPanelMethods>(() => this.handlers());
  readonly asked: string[] = [];
  readonly revealed: string[] = [];
  previewed: DataChoice[] = [];
  prepared: PrepareChoice | undefined;
  trained: TrainingChoice | undefined;
  compared: ComparisonChoice | undefined;
  form: TrainingForm | null;
  training: PanelTraining | null = null;
  report: readonly ReportSection[] = [];
  comparison: PanelComparison | null = null;
  /** Id of a table that is no longer there. */
  gone: string | undefined;
  /** What the person chooses in the dialogs; null: nothing. */
  heldOut: PanelTable | null = checks;
  vectors: PanelFile | null = glove;
  /** Why the next request that changes something fails. */
  failure: string | undefined;

  constructor(readonly stage: FakeTraining = {}) {
    this.form = stage.form ?? null;
  }

  /** Tells the page, and the next one when it starts. */
  tellTraining(training: PanelTraining): void {
    this.training = training;
    this.line.tell({ kind: 'training', training });
  }

  /** The panel is asked for again, beside this table. */
  tellTable(table: PanelTable): void {
    this.line.tell({ kind: 'table', table });
  }

  tellReport(sections: readonly ReportSection[]): void {
    this.report = sections;
    this.line.tell({ kind: 'report', sections });
  }

  tellComparison(comparison: PanelComparison): void {
    this.comparison = comparison;
    this.line.tell({ kind: 'comparison', comparison });
  }

  private handlers(): Handlers<TrainingPanelMethods> {
    const done = (asked: string): null => {
      this.asked.push(asked);
      if (this.failure !== undefined) {
        const message = this.failure;
        this.failure = undefined;
        throw new HumanError('test.failure', message);
      }
      return null;
    };
    return {
      start: () => ({ form: this.form, table: this.stage.inFront ?? null, training: this.training, report: this.report, comparison: this.comparison, strings: this.stage.strings ?? {}, language: this.stage.language ?? 'en' }),
      events: this.line.listen,
      remember: ({ form }) => {
        this.form = form;
        return null;
      },
      chooseTable: ({ from }) => {
        if (from === 'editor' && this.stage.noTable === true) throw new HumanError('test.noTable', 'No table is open in the editor. Choose a file.');
        this.asked.push(`choose ${from}`);
        return { table: reviews };
      },
      table: ({ file }) => {
        if (file === this.gone) throw new HumanError('test.gone', 'There is no such file any more. Choose another one.');
        return { table: { ...(file === checks.id ? checks : reviews), id: file, name: file.slice(file.lastIndexOf('/') + 1) } };
      },
      chooseHeldOut: () => {
        done('choose held out');
        return { table: this.heldOut };
      },
      chooseVectors: () => {
        done('choose vectors');
        return { vectors: this.vectors };
      },
      vectors: ({ file }) => {
        done(`vectors ${file}`);
        return { vectors: glove };
      },
      preview: ({ data }) => {
        this.previewed.push(data);
        return this.preview(data);
      },
      prepare: ({ prepare }) => {
        done('prepare');
        this.prepared = prepare;
        const files = (['train', 'valid', 'test'] as const).map((part, index) => ({ part, id: `file:///hotel/reviews-${part}.csv`, name: `reviews-${part}.csv`, rows: [960, 120, 120][index] ?? 0 }));
        return { files, dropped: 42 };
      },
      train: ({ training }) => {
        done('train');
        this.trained = training;
        this.tellTraining({ status: 'reading', task: 'reviews', file: 'reviews.csv', fraction: 0, notes: [] });
        return null;
      },
      cancelTraining: () => {
        done('cancelTraining');
        if (this.training) this.tellTraining({ ...this.training, status: 'stopped', canContinue: true });
        return null;
      },
      storeAgain: ({ again }) => done(`storeAgain ${again}`),
      useModel: () => {
        done('useModel');
        if (this.training?.model) this.tellTraining({ ...this.training, model: { ...this.training.model, inUse: true } });
        return null;
      },
      saveReport: () => {
        done('saveReport');
        const files = [{ format: 'html', name: 'report.html' }, { format: 'markdown', name: 'report.md' }] as const;
        if (this.training?.model) this.tellTraining({ ...this.training, model: { ...this.training.model, saved: files } });
        return { files };
      },
      openReport: ({ format }) => done(`open ${format}`),
      models: () => ({ models }),
      compare: ({ comparison }) => {
        done('compare');
        this.compared = comparison;
        this.tellComparison({ status: 'running', models: comparison.models, file: 'reviews.csv', fraction: 0.25, sections: [] });
        return null;
      },
      cancelComparison: () => done('cancelComparison'),
      reveal: ({ file, row }) => {
        this.revealed.push(`${file}:${row}`);
        return null;
      },
    };
  }

  private preview({ kind, labelColumn, valueColumn }: DataChoice): DataPreview {
    const values = { minimum: 1, maximum: 5, mean: 3.62, notNumbers: 0 };
    if (kind === 'number') return { rows: 1200, withoutText: 3, withoutLabel: 0, repeats: 12, labels: [], labelCount: 0, values };
    if (labelColumn === 'title') return { rows: 1200, withoutText: 0, withoutLabel: 0, repeats: 0, labels: [{ label: 'yes', rows: 700 }, { label: 'no', rows: 500 }], labelCount: 2 };
    return { rows: 1200, withoutText: 3, withoutLabel: 39, repeats: 12, labels: [{ label: 'positive', rows: 640 }, { label: 'negative', rows: 410 }, { label: 'neutral', rows: 150 }], labelCount: 3, ...(valueColumn === undefined ? {} : { values }) };
  }
}
