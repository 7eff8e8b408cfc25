import { serve, type HandlerContext, type Handlers, type Port } from '../core/protocol/rpc';
import type { PanelTable, TrainingPanelEvent, TrainingPanelMethods } from '../core/protocol/trainingPanel';
import type { Disposable } from '../app/events';
import type { TrainingWorkshop } from '../app/trainingWorkshop';
import { guarding, type Wording } from './guarded';
import { checkTrainingParams } from './trainingPanelChecks';

/** What a connection to the training panel's page needs. */
export interface TrainingPanelServices extends Wording {
  readonly workshop: TrainingWorkshop;
  /** Such as `en` or `zh-cn`. */
  readonly language: string;
  /** The page's texts in that language, by their English. */
  strings(): Readonly<Record<string, string>>;
  /** The table that the panel was opened on, if no page has shown it yet. */
  takeTable(): PanelTable | undefined;
}

/** One page's connection to the workshop, which stays when the page goes. Knows no vscode. */
export class TrainingPanelConnection implements Disposable {
  private readonly subscription: Disposable;
  /** The page's `events` request, once it has come. */
  private listener: ((event: TrainingPanelEvent) => void) | undefined;

  constructor(
    port: Port,
    private readonly services: TrainingPanelServices,
  ) {
    // what comes before the page listens is in what `start` says
    this.subscription = services.workshop.onDidChange((event) => this.listener?.(event));
    serve<TrainingPanelMethods>(port, this.handlers());
  }

  /** @returns whether a page listens */
  tell(event: TrainingPanelEvent): boolean {
    this.listener?.(event);
    return this.listener !== undefined;
  }

  dispose(): void {
    this.subscription.dispose();
    this.listener = undefined;
  }

  private handlers(): Handlers<TrainingPanelMethods> {
    const { services } = this;
    const { workshop } = services;
    const guarded = guarding<TrainingPanelMethods>(checkTrainingParams, services);
    /** For requests that are done and say nothing. */
    const done = async (work: void | Promise<void>): Promise<null> => {
      await work;
      return null;
    };
    return {
      start: guarded('start', () => ({ form: workshop.form, table: services.takeTable() ?? null, training: workshop.training, report: workshop.report, comparison: workshop.comparison, strings: services.strings(), language: services.language })),
      events: guarded('events', (_, context) => this.listen(context)),
      remember: guarded('remember', ({ form }) => done(workshop.remember(form))),
      chooseTable: guarded('chooseTable', async ({ from }) => ({ table: await workshop.chooseTable(from) })),
      table: guarded('table', async ({ file }) => ({ table: await workshop.table(file) })),
      chooseHeldOut: guarded('chooseHeldOut', async () => ({ table: await workshop.chooseHeldOut() })),
      chooseVectors: guarded('chooseVectors', async () => ({ vectors: await workshop.chooseVectors() })),
      vectors: guarded('vectors', ({ file }) => ({ vectors: workshop.vectors(file) })),
      preview: guarded('preview', ({ data }, { signal }) => workshop.preview(data, signal)),
      prepare: guarded('prepare', ({ prepare }, { signal }) => workshop.prepare(prepare, signal)),
      train: guarded('train', ({ training }) => done(workshop.train(training))),
      cancelTraining: guarded('cancelTraining', () => done(workshop.cancelTraining())),
      storeAgain: guarded('storeAgain', ({ again }) => done(workshop.storeAgain(again))),
      useModel: guarded('useModel', () => done(workshop.useModel())),
      saveReport: guarded('saveReport', async () => ({ files: await workshop.saveReport() })),
      openReport: guarded('openReport', ({ format }) => done(workshop.openReport(format))),
      models: guarded('models', async () => ({ models: await workshop.models() })),
      compare: guarded('compare', ({ comparison }) => done(workshop.compare(comparison))),
      cancelComparison: guarded('cancelComparison', () => done(workshop.cancelComparison())),
      reveal: guarded('reveal', ({ file, row }) => done(workshop.reveal(file, row))),
    };
  }

  /** Stays open until the page goes. */
  private async listen({ progress, signal }: HandlerContext<TrainingPanelEvent>): Promise<null> {
    this.listener = progress;
    await new Promise<void>((resolve) => signal.addEventListener('abort', resolve));
    if (this.listener === progress) this.listener = undefined;
    return null;
  }
}
