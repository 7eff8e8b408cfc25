import type { TaskFolder } from '../app/labeling/taskFolder';
import type { CliContext } from './context';
import { DefectNotes } from './labeledFile';
import { ProgressLine } from './terminal';

/** What `--task` is, in the usage of every command that takes it. */
export const taskFlag = { value: 'DIR', help: 'folder of a task, such as .label-lens/reviews' } as const;

/** Reads the task in a folder, with progress; what does not keep it from being read is said on stderr. */
export async function readTask(context: CliContext, folder: string): Promise<TaskFolder> {
  const progress = new ProgressLine(context.terminal);
  const notes = new DefectNotes(context);
  try {
    const task = await context.readTask(folder, {
      pause: context.pause,
      signal: context.signal,
      onProgress: (fraction) => progress.update(fraction, `reading ${folder}`),
      onProblem: (problem) => notes.note(problem.message),
    });
    progress.clear();
    notes.finish();
    return task;
  } finally {
    progress.clear();
  }
}
