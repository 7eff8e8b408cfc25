import * as vscode from 'vscode';
import { panelStrings } from '../core/protocol/panelStrings';

/** Every text of the panel's page in the person's language, by its English. */
export function translatedPanelStrings(): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.values<string>(panelStrings).map((template) => [template, vscode.l10n.t(template)]));
}
