import { textGroups, type SplitOptions } from './split';

/**
 * Deals rows out to folds for cross-validation: seeded, each label as evenly as whole texts allow, rows whose normalized texts are equal in one fold.
 *
 * @param folds at least 2
 * @returns [rows] the fold of each, in 0..folds-1
 */
export async function stratifiedFolds<R>(rows: readonly R[], folds: number, options: SplitOptions<R>): Promise<Uint8Array> {
  const foldOf = new Uint8Array(rows.length);
  // goes on counting from one label to the next, so that rare labels do not all come into the first folds
  let dealt = 0;
  for (const groups of await textGroups(rows, options)) {
    for (const group of groups) {
      for (const index of group) foldOf[index] = dealt % folds;
      dealt++;
    }
  }
  return foldOf;
}
