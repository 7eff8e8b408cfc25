import * as vscode from 'vscode';
import { CancelledError, HumanError } from '../core/errors';
import type { RecordSink } from '../app/recordSink';
import { taskNameOf } from '../app/taskModels';
import type { VectorsRead } from '../app/trainings';
import type { WorkshopWindow } from '../app/trainingWorkshop';
import { useModel } from './selectModel';
import { isSaved, nameOf, placeOf, sampleTable } from './sourceFile';
import { describeTrained, isTrainable, SAMPLE_ROWS, trainableFilters } from './trainModel';
import type { Workbench } from './workbench';

const FORM = 'trainingPanel.form';

/** What the training panel needs of the window; its tables are files of this machine's disk, known by their URIs. */
export function trainingWindow(
  { session, settings, files, errors, log, ownFolder }: Pick<Workbench, 'session' | 'settings' | 'files' | 'errors' | 'log' | 'ownFolder'>,
  { state, messageOf, reveal }: { readonly state: vscode.Memento; readonly messageOf: (error: unknown) => string; readonly reveal: (uri: vscode.Uri, name: string, row: number) => Promise<void> },
): WorkshopWindow {
  const uriOf = (table: string): vscode.Uri => {
    const uri = vscode.Uri.parse(table, true);
    if (uri.scheme !== 'file') throw new HumanError('trainModel.scheme', '{0} is not on this machine’s disk, and files are trained on from there. Save a copy of it first.', [uri.path]);
    return uri;
  };
  return {
    isTrusted: () => vscode.workspace.isTrusted,
    async chooseTable(from) {
      if (from === 'editor') {
        const uri = tableInFront();
        if (!uri) throw new HumanError('panel.noTable', 'No table is open in the editor. Open a CSV, TSV or JSON Lines file, or choose one.');
        return uri.toString();
      }
      const chosen = await vscode.window.showOpenDialog({ title: vscode.l10n.t('Choose a Labeled Table to Train On'), filters: trainableFilters() });
      return chosen?.[0]?.toString();
    },
    async chooseHeldOut() {
      const chosen = await vscode.window.showOpenDialog({ title: vscode.l10n.t('Choose a Table of Held-Out Rows'), filters: trainableFilters() });
      return chosen?.[0]?.toString();
    },
    async chooseVectors() {
      const filters = { [vscode.l10n.t('Word Vectors')]: ['txt', 'vec', 'gz'], [vscode.l10n.t('All Files')]: ['*'] };
      const chosen = await vscode.window.showOpenDialog({ title: vscode.l10n.t('Choose a File of Word Vectors'), filters });
      return chosen?.[0]?.toString();
    },
    nameOf: (file) => nameOf(vscode.Uri.parse(file)),
    sample: (table) => sampleTable(uriOf(table), files, SAMPLE_ROWS),
    open: (file) => files.openInput(uriOf(file).fsPath),
    settle: (table) => {
      const uri = uriOf(table);
      return isSaved(uri, vscode.l10n.t('{0} has changes that are not saved. The file on disk is what gets trained on.', nameOf(uri)), vscode.l10n.t('Save and Train'));
    },
    async placeOf(table) {
      const uri = uriOf(table);
      const shipped = (await session.models.list()).flatMap(({ name, origin }) => (origin === 'shipped' ? [name] : []));
      return { task: taskNameOf(nameOf(uri), shipped), folder: placeOf(ownFolder, uri).folder };
    },
    reveal: (table, row) => reveal(uriOf(table), nameOf(uriOf(table)), row),
    workers: () => settings.trainingWorkers,
    modelInUse: () => session.status.model?.opened.name ?? settings.model,
    useModel: (name) => useModel({ session, settings }, name),
    trained(model) {
      log.info(`Trained ${model.name} in the training panel, ${model.examplesPerSecond.toFixed(0)} examples/s; it is in ${model.folder}`);
      // it is the task's version in use from now on
      if (settings.model === model.name.slice(0, model.name.indexOf('/'))) session.reload();
    },
    async openFile(path, format) {
      const uri = vscode.Uri.file(path);
      // a browser shows the HTML file, the editor the Markdown
      if (format === 'html') await vscode.env.openExternal(uri);
      else await vscode.commands.executeCommand('markdown.showPreview', uri);
    },
    describe: describeTrained,
    describeVectors,
    messageOf,
    note: (error) => errors.note(error),
    memory: { get: () => state.get(FORM), set: (form) => void state.update(FORM, form).then(undefined, (error: unknown) => errors.note(error)) },
  };
}

/** How much of the texts to train on a file of word vectors covers. */
function describeVectors(file: string, { size, tokens, found, occurrences, missing, defects }: VectorsRead): readonly string[] {
  const count = (value: number): string => value.toLocaleString(vscode.env.language);
  const percent = (share: number): string => (share * 100).toLocaleString(vscode.env.language, { maximumFractionDigits: 1 });
  const notes = [
    vscode.l10n.t('{0}: vectors of {1} numbers for {2} of {3} words of the vocabulary ({4} %), which are {5} % of what is read of the training texts.', file, size, count(found), count(tokens), percent(found / tokens), percent(occurrences)),
  ];
  if (missing.length > 0) notes.push(vscode.l10n.t('The most frequent words without a vector: {0}.', missing.map((each) => `${each.token} (${count(each.count)})`).join(', ')));
  if (defects > 0) notes.push(vscode.l10n.t('{0} lines of {1} are not as they should be; the log names them.', count(defects), file));
  return notes;
}

/** The table in the editor in front; else, since the panel may lie over it, one in a tab. */
function tableInFront(): vscode.Uri | undefined {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs).sort((a, b) => Number(b.isActive) - Number(a.isActive));
  const open = [...vscode.window.visibleTextEditors.map(({ document }) => document.uri), ...tabs.flatMap(({ input }) => (input instanceof vscode.TabInputText ? [input.uri] : []))];
  return [...(vscode.window.activeTextEditor ? [vscode.window.activeTextEditor.document.uri] : []), ...open].find(isTrainable);
}

/** New files beside a table, by their names: their URIs, and what writes them. @throws CancelledError when the person does not want one replaced that is there */
export async function tablesBeside(files: Workbench['files'], table: string, names: readonly string[]): Promise<readonly { readonly id: string; readonly sink: RecordSink }[]> {
  const uris = names.map((name) => vscode.Uri.joinPath(vscode.Uri.parse(table), '..', name));
  const found = await Promise.all(uris.map((uri) => vscode.workspace.fs.stat(uri).then(() => true, () => false)));
  const there = names.filter((_, index) => found[index]);
  if (there.length > 0) {
    const replace = vscode.l10n.t('Replace');
    const question = vscode.l10n.t('These files are there already: {0}. Replace them?', there.join(', '));
    if ((await vscode.window.showWarningMessage(question, { modal: true }, replace)) !== replace) throw new CancelledError();
  }
  const opened: { readonly id: string; readonly sink: RecordSink }[] = [];
  try {
    for (const uri of uris) opened.push({ id: uri.toString(), sink: await files.openOutput(uri.fsPath) });
  } catch (error) {
    for (const { sink } of opened) await sink.discard();
    throw error;
  }
  return opened;
}
