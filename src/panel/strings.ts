import * as vscode from 'vscode';
import { panelStrings } from '../core/protocol/panelStrings';
import { reportStrings, type ReportStrings } from '../core/report/strings';

/** Every text of the panel's page in the person's language, by its English. */
export function translatedPanelStrings(): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.values<string>(panelStrings).map((template) => [template, vscode.l10n.t(template)]));
}

/** Every text of a report in the person's language. */
export function translatedReportStrings(): ReportStrings {
  return Object.fromEntries(Object.entries<string>(reportStrings).map(([key, template]) => [key, vscode.l10n.t(template)])) as Record<keyof ReportStrings, string>;
}
