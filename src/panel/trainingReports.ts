import * as vscode from 'vscode';
import { reportHtml } from '../core/report/html';
import { reportMarkdown } from '../core/report/markdown';
import { trainedDocument } from '../core/report/trained';
import { trainingSections } from '../core/report/training';
import type { TrainingReports } from '../app/trainingWorkshop';
import { translatedReportStrings } from './strings';

/** The reports of trainings, in the person's language. */
export const trainingReports: TrainingReports = {
  live: (course) => trainingSections(course, translatedReportStrings()),
  finished: ({ request, result, heldOutFile, heldOutRows }, file) =>
    trainedDocument(
      { request, result, file, validation: request.validation.map(({ text }, index) => ({ file: heldOutFile, row: heldOutRows[index] ?? 0, text })) },
      translatedReportStrings(),
    ),
  html: (document) => reportHtml(document, translatedReportStrings(), vscode.env.language),
  markdown: (document) => reportMarkdown(document, translatedReportStrings()),
};
