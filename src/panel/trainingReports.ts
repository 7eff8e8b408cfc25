import * as vscode from 'vscode';
import type { ReportSection } from '../core/report/document';
import type { TrainingCourse, TrainingReports } from '../app/trainingWorkshop';

function sectionsOf({ epochs }: TrainingCourse): readonly ReportSection[] {
  const number = (value: number): string => value.toLocaleString(vscode.env.language, { maximumFractionDigits: 4 });
  return [
    {
      id: 'epochs',
      title: vscode.l10n.t('Epoch'),
      blocks: [{ kind: 'table', header: [vscode.l10n.t('Epoch')], numeric: [0], rows: epochs.map((epoch, index) => [String(index + 1), number(epoch.trainLoss)]) }],
    },
  ];
}

/** The reports of trainings, in the person's language. */
export const trainingReports: TrainingReports = {
  live: sectionsOf,
  finished: (_, course, file) => ({ title: file, subtitle: '', sections: sectionsOf(course) }),
  html: () => '',
  markdown: () => '',
};
