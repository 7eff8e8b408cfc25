import type { ReportSection } from '../../src/core/report/document';
import type { DataPreview, PanelComparison, PanelFile, PanelModel, PanelTable, PanelTraining, Prepared, TrainingForm, TrainingTab } from '../../src/core/protocol/trainingPanel';
import { presets } from '../../src/core/model/presets';
import type { Component } from '../app';
import type { StateStore } from '../stateStore';

export interface TrainingState {
  readonly tab: TrainingTab;
  readonly form: Omit<TrainingForm, 'tab'>;
  /** The one that the form is about. */
  readonly table: PanelTable | undefined;
  /** The ones that the form names beside it. */
  readonly heldOutTable: PanelTable | undefined;
  readonly vectors: PanelFile | undefined;
  /** What is known of the rows that the form names; undefined while that is read or not chosen. */
  readonly preview: DataPreview | undefined;
  readonly previewing: boolean;
  readonly previewProblem: string | undefined;
  readonly prepared: Prepared | undefined;
  readonly models: readonly PanelModel[];
  readonly training: PanelTraining | null;
  readonly report: readonly ReportSection[];
  readonly comparison: PanelComparison | null;
  /** What went wrong with something that was asked for; in sight until closed. */
  readonly problem: string | undefined;
  /** For screen readers. */
  readonly announcement: string;
}

export const emptyForm: Omit<TrainingForm, 'tab'> = { kind: 'single', textColumns: [], heldOut: '10', preset: presets[0]?.name ?? '', typed: {}, compared: [] };

export const initialTrainingState: TrainingState = {
  tab: 'data',
  form: emptyForm,
  table: undefined,
  heldOutTable: undefined,
  vectors: undefined,
  preview: undefined,
  previewing: false,
  previewProblem: undefined,
  prepared: undefined,
  models: [],
  training: null,
  report: [],
  comparison: null,
  problem: undefined,
  announcement: '',
};

export type TrainingStore = StateStore<TrainingState>;
export type TrainingPart = Component<TrainingState>;

/** Whether a training is under way, so that no other may begin. */
export function isUnderWay({ training }: TrainingState): boolean {
  return training !== null && ['waiting', 'reading', 'running', 'notStored'].includes(training.status);
}
