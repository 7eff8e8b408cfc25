import * as vscode from 'vscode';
import { HumanError } from '../core/errors';
import type { Port } from '../core/protocol/rpc';
import type { PanelTable, TrainingForm } from '../core/protocol/trainingPanel';
import type { TrainingWorkshop } from '../app/trainingWorkshop';
import type { Wording } from './guarded';
import { translatedTrainingPanelStrings } from './strings';
import { TrainingPanelConnection } from './trainingPanelConnection';
import { checkTrainingParams } from './trainingPanelChecks';
import { WebviewHost } from './webviewHost';

export const trainingPanelViewType = 'labelLens.trainingPanel';

export interface TrainingPanelHostOptions {
  readonly workshop: TrainingWorkshop;
  /** The form of an earlier window, as it was kept. */
  readonly remembered: () => unknown;
  readonly extensionUri: vscode.Uri;
  readonly errors: Wording;
}

/** The training panel. What is done in it is the workshop's, so a training goes on when it is closed. */
export class TrainingPanelHost implements vscode.Disposable {
  private readonly host: WebviewHost<TrainingPanelConnection>;
  /** What the next page is to show. */
  private wanted: PanelTable | undefined;

  constructor(private readonly options: TrainingPanelHostOptions) {
    this.host = new WebviewHost({
      viewType: trainingPanelViewType,
      page: 'training',
      extensionUri: options.extensionUri,
      title: () => vscode.l10n.t('Model Training'),
      beforeOpening: () => this.restoreForm(),
      connect: (port) => this.connect(port),
    });
  }

  /** Opens the panel, or brings it to the front, with the keyboard in it. @param file URI of a table to show there. @throws HumanError when it cannot be read */
  async open(file?: string): Promise<void> {
    if (file !== undefined) {
      const table = await this.options.workshop.offer(file);
      // a page that is hidden is loaded anew when it is shown
      if (!this.host.isVisible || !this.host.connection?.tell({ kind: 'table', table })) this.wanted = table;
    }
    this.host.open();
  }

  dispose(): void {
    this.host.dispose();
  }

  private connect(port: Port): TrainingPanelConnection {
    const { workshop, errors } = this.options;
    return new TrainingPanelConnection(port, {
      workshop,
      language: vscode.env.language,
      strings: translatedTrainingPanelStrings,
      takeTable: () => {
        const { wanted } = this;
        this.wanted = undefined;
        return wanted;
      },
      messageOf: (error) => errors.messageOf(error),
      note: (error) => errors.note(error),
    });
  }

  /** What another version of the extension has kept may be no form of this one. */
  private restoreForm(): void {
    const { workshop, remembered, errors } = this.options;
    const kept = remembered();
    if (workshop.form || kept === undefined) return;
    try {
      workshop.restore(checkTrainingParams('remember', { form: kept as TrainingForm }).form);
    } catch (error) {
      errors.note(error instanceof HumanError ? error : new Error('The form of the training panel that was kept is none of this version', { cause: error }));
    }
  }
}
