import { activeTask } from './labelingTask';
import type { Workbench } from './workbench';

/** Opens the panel where the labels are added, renamed, merged and put away. */
export function editLabels(workbench: Workbench): void {
  activeTask(workbench);
  workbench.panel.openLabels();
}
