import { CancelledError, HumanError } from '../../core/errors';
import type { FineTuneState, ModelVersion } from '../../core/labels/view';
import { untilFineTune } from '../../labeling/fineTunePolicy';
import type { OpenedModel } from '../modelStore';
import { bestVersion, TaskModels } from '../taskModels';
import { checkFineTune, decisionsOf, fineTune, isFromDecisions, originOf } from './fineTuning';
import type { LabelingServices } from './openTask';
import type { Pool } from './pool';
import type { TaskDecisions } from './taskDecisions';
import { openTaskModel, openVersion, type TaskModel } from './taskModel';

export interface TaskTuningOptions {
  readonly services: LabelingServices;
  /** Absolute path of the folder in whose `.label-lens/` the task is stored. */
  readonly folder: string;
  readonly decisions: TaskDecisions;
  /** The texts, when all are read. */
  readonly pool: () => Promise<Pool>;
  /** The state of fine-tuning moved. */
  readonly onState: () => void;
  /** Another model is in use. */
  readonly onModel: (model: TaskModel) => void;
  readonly onProblem: (problem: unknown) => void;
}

/** The model of a task: the one in use, its versions, and when and how the next one comes about. */
export class TaskTuning {
  private readonly models: TaskModels;
  private opened: TaskModel | undefined;
  private opening: Promise<TaskModel> | undefined;
  private running: { readonly stop: AbortController; readonly ended: Promise<FineTuneState> } | undefined;
  private latest: FineTuneState | undefined;
  /** Labelled texts that there were when it was last fine-tuned. */
  private tunedAt: number | undefined;
  /** The model in use if it cannot be fine-tuned: it is asked for by hand, or not at all. */
  private fixed: TaskModel | undefined;
  /** It is being looked whether there is enough for a fine-tuning. */
  private isLooking = false;

  constructor(private readonly options: TaskTuningOptions) {
    this.models = new TaskModels(options.services.fileSystem, options.folder, options.decisions.definition.name);
  }

  /** How the last fine-tuning went, or goes. */
  get state(): FineTuneState | undefined {
    return this.latest;
  }

  /** What the journal calls the model in use; undefined while none is open. */
  get version(): string | undefined {
    return this.opened?.version;
  }

  /** The model in use, opening it if need be. @throws HumanError when neither the task's own nor the base can be used */
  model(): Promise<TaskModel> {
    const { session, baseModel } = this.options.services;
    this.opening ??= openTaskModel({ models: session.models, own: this.models, predictor: session.predictor, base: baseModel }, this.options.onProblem).then(
      (model) => (this.opened = model),
      (error: unknown) => {
        // to be tried again
        this.opening = undefined;
        throw error;
      },
    );
    return this.opening;
  }

  /** Looks how many decisions the versions that there are have learned from. */
  async lookBack(): Promise<void> {
    this.tunedAt ??= Math.max(0, ...(await this.models.versions()).map(({ manifest }) => decisionsOf(manifest) ?? 0));
  }

  async versions(): Promise<readonly ModelVersion[]> {
    const [versions, current] = [await this.models.versions(), await this.models.current()];
    const best = bestVersion(versions);
    return versions.map(({ version, manifest }) => {
      const { accuracy = manifest.metrics['exactMatch'] ?? manifest.metrics['r2'], rows } = manifest.metrics;
      const trained = manifest.data['rows'];
      return {
        version,
        current: version === current,
        best: version === best,
        ...(manifest.parent === undefined ? {} : { parent: manifest.parent }),
        ...(typeof trained === 'number' ? { rows: trained } : rows === undefined ? {} : { rows }),
        ...(accuracy === undefined ? {} : { accuracy }),
      };
    });
  }

  async restore(version: string): Promise<void> {
    await this.models.choose(version);
    await this.changeModel();
  }

  /** Decisions until the next fine-tuning; undefined if it is off, or the trainer cannot start from the model in use. */
  get until(): number | undefined {
    const { decisions, services } = this.options;
    const { kind } = decisions.definition;
    if (this.fixed !== undefined && this.fixed === this.opened) return undefined;
    const { labeled } = decisions.state.counts();
    return untilFineTune({
      kind,
      byLabel: decisions.labelIds.map((label) => decisions.learnable.of(label)),
      labeled: decisions.learnable.size,
      sinceLast: labeled - (this.tunedAt ?? labeled),
      every: services.fineTuneEvery(),
      running: this.running !== undefined,
    });
  }

  /** Begins a fine-tuning if it is time for one. */
  async startIfDue(): Promise<void> {
    if (this.until !== 0 || this.isLooking) return;
    const { decisions, services, onState, onProblem } = this.options;
    this.isLooking = true;
    let model: TaskModel | undefined;
    try {
      model = await this.model();
      await checkFineTune({ kind: decisions.definition.kind, labels: decisions.labelIds, rows: await decisions.divided(), base: await this.originOf(model), pause: services.pause });
      void this.start();
    } catch (error) {
      if (!(error instanceof HumanError)) throw error;
      // nobody has asked for it: it can wait for more
      this.tunedAt = decisions.state.counts().labeled;
      if (error.code === 'training.ensemble') {
        this.fixed = model;
        onState();
      }
      if (error.code !== 'fineTune.few') onProblem(error);
    } finally {
      this.isLooking = false;
    }
  }

  /** Fine-tunes, or joins the fine-tuning that runs. */
  start(): Promise<FineTuneState> {
    if (!this.running) {
      const stop = new AbortController();
      this.running = { stop, ended: this.run(stop.signal).finally(() => (this.running = undefined)) };
    }
    return this.running.ended;
  }

  cancel(): void {
    this.running?.stop.abort();
  }

  private async run(signal: AbortSignal): Promise<FineTuneState> {
    const { services, folder, decisions, onProblem } = this.options;
    const { fileSystem, session, pause, trainingWorkers, log } = services;
    const { name, kind } = decisions.definition;
    try {
      const pool = await this.options.pool();
      const { labeled } = decisions.state.counts();
      this.tunedAt = labeled;
      const model = await this.model();
      const state = await fineTune({
        task: name,
        folder,
        kind,
        labels: decisions.labelIds,
        rows: await decisions.divided(),
        textAt: (position) => pool.textAt(position),
        decisions: labeled,
        base: await this.originOf(model),
        rival: await this.rivalOf(model),
        fileSystem,
        trainings: session.trainings,
        predictor: session.predictor,
        workers: trainingWorkers(),
        pause,
        signal,
        onState: (next) => this.tell(next),
      });
      log.info(`Fine-tuning of ${name}: ${state.status}${state.version === undefined ? '' : `, ${state.version}`}`);
      if (state.status === 'kept') await this.changeModel();
      return state;
    } catch (error) {
      if (error instanceof CancelledError) return this.tell({ status: 'cancelled', epochs: [] });
      onProblem(error);
      return this.tell({ status: 'failed', epochs: [], error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  private tell(state: FineTuneState): FineTuneState {
    this.latest = state;
    this.options.onState();
    return state;
  }

  /** What training starts from: the present model, or where it came of decisions what it came from first. */
  private async originOf({ opened, version, isOwn }: TaskModel): Promise<OpenedModel> {
    if (!isOwn || !isFromDecisions(opened.manifest)) return opened;
    const { session, baseModel } = this.options.services;
    const origin = originOf(version, this.models.task, await this.models.versions());
    return await session.models.open(origin === undefined ? baseModel : this.models.folderOf(origin));
  }

  /** The best version, which a new one has to stand up to; the present model where there is none or it cannot be used. */
  private async rivalOf(model: TaskModel): Promise<TaskModel> {
    const { models, predictor } = this.options.services.session;
    const best = bestVersion(await this.models.versions());
    if (best === undefined || best === model.version) return model;
    return await openVersion({ models, own: this.models, predictor }, best).catch((error: unknown) => {
      this.options.onProblem(error);
      return model;
    });
  }

  /** Another version is in use: guesses, order and the editor's annotations follow. */
  private async changeModel(): Promise<void> {
    this.opening = undefined;
    const { session } = this.options.services;
    if (session.status.chosen === this.options.decisions.definition.name) session.reload();
    this.options.onState();
    this.options.onModel(await this.model());
  }
}
