import { Emitter, type Disposable, type Event } from '../app/events';
import type { LabelingTasks } from '../app/labeling/labeling';
import { joinPath, modelsFolder } from '../app/modelStore';
import type { SessionSettings } from '../app/session';

/** What the model that is chosen by hand comes from. */
export interface ChosenModel extends SessionSettings {
  /** Whether somebody has chosen one. */
  readonly isModelChosen: boolean;
}

/**
 * The model that annotates: the one that somebody has chosen; else the version in use of the task that is being labelled, so that what was taught shows at once; else the one that comes with Label Lens.
 */
export class ModelInUse implements SessionSettings, Disposable {
  private readonly emitter = new Emitter<void>();
  private readonly subscriptions: Disposable[];
  /** Name or folder of the task's version in use. */
  private own: string | undefined;
  private told: string;
  /** Counts questions, so that a late answer is not taken for a newer one's. */
  private asked = 0;
  readonly onDidChange: Event<void> = this.emitter.event;

  constructor(
    private readonly chosen: ChosenModel,
    private readonly tasks: LabelingTasks,
    onDidChangeVersion: Event<void>,
    /** Whether models are found by name in a task's folder. */
    private readonly isNamed: (folder: string) => boolean,
    private readonly onError: (error: unknown) => void,
  ) {
    this.told = this.model;
    this.subscriptions = [this.emitter, chosen.onDidChange(() => this.tell()), tasks.onDidChangeActive(() => this.look()), onDidChangeVersion(() => this.look())];
  }

  get model(): string {
    return this.chosen.isModelChosen ? this.chosen.model : (this.own ?? this.chosen.model);
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private look(): void {
    const asked = ++this.asked;
    this.find().then((own) => {
      if (asked !== this.asked) return;
      this.own = own;
      this.tell();
    }, this.onError);
  }

  private async find(): Promise<string | undefined> {
    const task = this.tasks.active;
    const current = (await task?.versions())?.find((version) => version.current);
    if (!task || !current) return undefined;
    const { name } = task.definition;
    return this.isNamed(task.folder) ? `${name}/${current.version}` : joinPath(modelsFolder(task.folder, name), current.version);
  }

  private tell(): void {
    if (this.told === this.model) return;
    this.told = this.model;
    this.emitter.fire();
  }
}
