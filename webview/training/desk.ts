import type { PanelTable, PrepareChoice, TrainingForm, TrainingPanelEvent, TrainingPanelMethods, TrainingPanelStart, TrainingTab } from '../../src/core/protocol/trainingPanel';
import { CancelledError } from '../../src/core/errors';
import type { RpcClient } from '../../src/core/protocol/rpc';
import { dataChoice, trainingChoice, type Missing } from './choices';
import { emptyForm, type TrainingState, type TrainingStore } from './store';
import { messageOf, say } from './strings';

/** Milliseconds without a change after which the host is told of the form, and the rows are counted anew. */
const rememberDelay = 400;
const previewDelay = 150;

/** Does what keys and clicks ask for: changes the form and asks the host. */
export class Desk {
  private rememberTimer: number | undefined;
  private previewTimer: number | undefined;
  private previewing: AbortController | undefined;
  /** The choice that the preview is of, as JSON. */
  private previewed = '';

  constructor(
    private readonly client: RpcClient<TrainingPanelMethods>,
    private readonly store: TrainingStore,
  ) {}

  /** Takes over what the host has kept. */
  async begin({ form, table: inFront, training, report, comparison }: TrainingPanelStart): Promise<void> {
    const { tab, ...rest } = form ?? { tab: 'data' as const, ...emptyForm };
    const table = inFront && !isHeldOutBy(rest, inFront) ? inFront : null;
    this.store.update({ tab: table ? 'data' : tab, form: rest, training, report, comparison });
    const findTable = async (): Promise<void> => {
      if (table) this.takeTable(table);
      else if (rest.file === undefined) await this.chooseTable('editor', true);
      else await this.reloadTable(rest.file);
    };
    await Promise.all([this.loadModels(), findTable(), this.reloadOthers(rest)]);
  }

  receive(event: TrainingPanelEvent): void {
    switch (event.kind) {
      case 'training': {
        const before = this.store.state.training?.status;
        this.store.update({ training: event.training });
        if (event.training.status !== before) this.announceTraining();
        if (event.training.status === 'done' && before !== 'done') void this.loadModels();
        return;
      }
      case 'report':
        this.store.update({ report: event.sections });
        return;
      case 'comparison':
        this.store.update({ comparison: event.comparison });
        if (event.comparison.status === 'done') this.announce(say('comparisonDone'));
        return;
      case 'table':
        if (isHeldOutBy(this.store.state.form, event.table)) return;
        this.takeTable(event.table);
        this.openTab('data');
        return;
    }
  }

  openTab(tab: TrainingTab): void {
    this.store.update({ tab });
    this.rememberSoon();
  }

  /** Changes the form; what is undefined is taken out. */
  change(part: { readonly [K in keyof TrainingState['form']]?: TrainingState['form'][K] | undefined }): void {
    const form = Object.fromEntries(Object.entries({ ...this.store.state.form, ...part }).filter(([, value]) => value !== undefined)) as unknown as TrainingState['form'];
    this.store.update({ form });
    this.rememberSoon();
    this.previewSoon();
  }

  setHyperparameter(name: string, typed: string | undefined): void {
    const others = Object.entries(this.store.state.form.typed).filter(([each]) => each !== name);
    this.change({ typed: Object.fromEntries(typed === undefined ? others : [...others, [name, typed]]) });
  }

  /** @param quietly nobody has asked for it, so a file that does not fit is none */
  async chooseTable(from: 'editor' | 'dialog', quietly = false): Promise<void> {
    try {
      const { table } = await this.client.call('chooseTable', { from });
      if (table) this.takeTable(table);
    } catch (error) {
      if (!quietly) this.problem(error);
    }
  }

  /** Trains on a file that was prepared. */
  async useTable(file: string): Promise<void> {
    const answer = await this.attempt(() => this.client.call('table', { file }));
    if (answer) this.takeTable(answer.table);
  }

  async chooseHeldOut(): Promise<void> {
    const answer = await this.attempt(() => this.client.call('chooseHeldOut', {}));
    if (answer?.table) this.holdOut(answer.table);
  }

  /** Checks with a file that was prepared. */
  async useHeldOut(file: string): Promise<void> {
    const answer = await this.attempt(() => this.client.call('table', { file }));
    if (!answer) return;
    this.holdOut(answer.table);
    this.announce(say('heldOutNow', answer.table.name));
  }

  async chooseVectors(): Promise<void> {
    const answer = await this.attempt(() => this.client.call('chooseVectors', {}));
    if (!answer?.vectors) return;
    this.store.update({ vectors: answer.vectors });
    this.change({ vectors: answer.vectors.id });
  }

  removeVectors(): void {
    this.store.update({ vectors: undefined });
    this.change({ vectors: undefined });
    this.announce(say('vectorsRemoved'));
  }

  async prepare(prepare: PrepareChoice): Promise<void> {
    this.store.update({ prepared: undefined });
    const prepared = await this.attempt(() => this.client.call('prepare', { prepare }));
    this.store.update({ prepared });
    if (prepared) this.announce(say('preparedFiles', prepared.files.length));
  }

  /** @returns what keeps it from beginning */
  async train(): Promise<readonly Missing[]> {
    const choice = trainingChoice(this.store.state);
    if ('missing' in choice) return choice.missing;
    await this.attempt(() => this.client.call('train', choice));
    return [];
  }

  async cancelTraining(): Promise<void> {
    await this.attempt(() => this.client.call('cancelTraining', {}));
  }

  async storeAgain(again: boolean): Promise<void> {
    await this.attempt(() => this.client.call('storeAgain', { again }));
  }

  async useModel(): Promise<void> {
    if ((await this.attempt(() => this.client.call('useModel', {}))) !== undefined) await this.loadModels();
  }

  async saveReport(): Promise<void> {
    const answer = await this.attempt(() => this.client.call('saveReport', {}));
    if (answer) this.announce(say('reportSaved', answer.files.map(({ name }) => name).join(', ')));
  }

  async openReport(format: 'html' | 'markdown'): Promise<void> {
    await this.attempt(() => this.client.call('openReport', { format }));
  }

  async reveal(file: string, row: number): Promise<void> {
    await this.attempt(() => this.client.call('reveal', { file, row }));
  }

  async compare(): Promise<void> {
    const data = dataChoice(this.store.state);
    if (!data) return;
    await this.attempt(() => this.client.call('compare', { comparison: { data, models: this.store.state.form.compared } }));
  }

  async cancelComparison(): Promise<void> {
    await this.attempt(() => this.client.call('cancelComparison', {}));
  }

  async loadModels(): Promise<void> {
    const answer = await this.attempt(() => this.client.call('models', {}));
    if (!answer) return;
    const { models } = answer;
    const known = (name: string): boolean => models.some((model) => model.name === name);
    const { base, compared } = this.store.state.form;
    this.store.update({ models });
    // one that is gone is none to start from, or to compare
    if ((base !== undefined && !known(base)) || !compared.every(known)) this.change({ base: base !== undefined && known(base) ? base : undefined, compared: compared.filter(known) });
  }

  announce(announcement: string): void {
    this.store.update({ announcement });
  }

  private holdOut(heldOutTable: PanelTable): void {
    this.store.update({ heldOutTable });
    this.change({ heldOutIsFile: true, heldOutFile: heldOutTable.id });
  }

  /** What the form names beside the table; one that is gone has to be chosen anew. */
  private async reloadOthers({ heldOutFile, vectors: vectorFile }: TrainingState['form']): Promise<void> {
    const reloadHeldOut = async (file: string): Promise<void> => {
      const answer = await this.attempt(() => this.client.call('table', { file }));
      if (answer) this.store.update({ heldOutTable: answer.table });
      else this.change({ heldOutFile: undefined });
    };
    const reloadVectors = async (file: string): Promise<void> => {
      const answer = await this.attempt(() => this.client.call('vectors', { file }));
      if (answer) this.store.update({ vectors: answer.vectors });
      else this.change({ vectors: undefined });
    };
    await Promise.all([heldOutFile !== undefined && reloadHeldOut(heldOutFile), vectorFile !== undefined && reloadVectors(vectorFile)]);
  }

  private takeTable(table: PanelTable): void {
    const { form, prepared } = this.store.state;
    const has = (name: string | undefined): name is string => name !== undefined && table.columns.some((column) => column.name === name);
    const same = form.file === table.id;
    // the columns of a file before are kept where this one has them too: a prepared file, say
    const kept = has(form.labelColumn) && form.textColumns.length > 0 && form.textColumns.every(has);
    const columns = same || kept ? {} : { labelColumn: table.guess.label, textColumns: table.guess.text, valueColumn: undefined };
    // the other parts of what was prepared are still to be used
    const isPart = prepared?.files.some(({ id }) => id === table.id) ?? false;
    this.store.update({ table, preview: undefined, previewProblem: undefined, ...(same || isPart ? {} : { prepared: undefined }) });
    this.previewed = '';
    this.change({ file: table.id, ...columns });
  }

  private async reloadTable(file: string): Promise<void> {
    try {
      this.takeTable((await this.client.call('table', { file })).table);
    } catch {
      // it is gone, or was of another window: the one in front may do
      this.change({ file: undefined });
      await this.chooseTable('editor', true);
    }
  }

  private previewSoon(): void {
    const data = dataChoice(this.store.state);
    const asked = data ? JSON.stringify(data) : '';
    if (asked === this.previewed) return;
    this.previewed = asked;
    this.previewing?.abort();
    window.clearTimeout(this.previewTimer);
    this.store.update({ preview: undefined, previewProblem: undefined, previewing: data !== undefined });
    if (data) this.previewTimer = window.setTimeout(() => void this.preview(asked), previewDelay);
  }

  private async preview(asked: string): Promise<void> {
    const data = dataChoice(this.store.state);
    const aborter = (this.previewing = new AbortController());
    try {
      const preview = data && (await this.client.call('preview', { data }, { signal: aborter.signal }));
      if (asked === this.previewed) this.store.update({ preview, previewing: false });
    } catch (error) {
      if (asked === this.previewed && !(error instanceof CancelledError)) this.store.update({ previewing: false, previewProblem: messageOf(error) });
    }
  }

  private rememberSoon(): void {
    window.clearTimeout(this.rememberTimer);
    this.rememberTimer = window.setTimeout(() => {
      const { tab, form } = this.store.state;
      const whole: TrainingForm = { tab, ...form };
      this.client.call('remember', { form: whole }).catch((error: unknown) => this.problem(error));
    }, rememberDelay);
  }

  private announceTraining(): void {
    const { training } = this.store.state;
    if (!training) return;
    const { status, model, error } = training;
    const texts = { waiting: say('trainingWaits', training.waitsFor ?? ''), reading: say('readingFile', training.file), running: say('trainingRuns', training.task), notStored: error ?? '', done: say('trainingDone', model?.name ?? ''), stopped: say('trainingStopped'), failed: say('trainingFailed') };
    this.announce(texts[status]);
  }

  private async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    this.store.update({ problem: undefined });
    try {
      return await work();
    } catch (error) {
      this.problem(error);
      return undefined;
    }
  }

  private problem(error: unknown): void {
    if (!(error instanceof CancelledError)) this.store.update({ problem: messageOf(error) });
  }
}

/** Whether the form checks with a table already: that it is in front, since somebody has looked at a mistake there, does not mean that it is to be trained on. */
function isHeldOutBy({ file, heldOutIsFile, heldOutFile }: TrainingState['form'], { id }: PanelTable): boolean {
  return heldOutIsFile === true && heldOutFile === id && file !== undefined && file !== id;
}
