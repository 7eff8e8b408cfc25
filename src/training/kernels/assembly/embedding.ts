/** Rows of an embedding table [V, E], forward and backward. E is a multiple of 4. */
import { bytes } from './vector';

/** x [S, E] = table[ids]. */
export function gatherRows(table: usize, ids: usize, x: usize, positions: i32, width: i32): void {
  const size = bytes(width);
  for (let p = 0; p < positions; p++) {
    memory.copy(x + size * p, table + size * load<i32>(ids + bytes(p)), size);
  }
}

/**
 * Remembers which rows of the table have a gradient.
 *
 * @param touched [V] bytes: whether a row is in the list
 * @param list ids of the touched rows, each once, in the order of their first use; room for V
 * @param count rows in the list on entry
 * @returns rows in the list on exit
 */
export function touchRows(ids: usize, positions: i32, touched: usize, list: usize, count: i32): i32 {
  for (let p = 0; p < positions; p++) {
    const id = load<i32>(ids + bytes(p));
    if (load<u8>(touched + <usize>id) == 0) {
      store<u8>(touched + <usize>id, 1);
      store<i32>(list + bytes(count), id);
      count++;
    }
  }
  return count;
}

/** gradient[ids] += dx [S, E], in the columns from `column` on, `columns` of them (multiples of 4). */
export function scatterRows(gradient: usize, ids: usize, dx: usize, positions: i32, width: i32, column: i32, columns: i32): void {
  const size = bytes(width);
  for (let p = 0; p < positions; p++) {
    const source = dx + size * p + bytes(column);
    const target = gradient + size * load<i32>(ids + bytes(p)) + bytes(column);
    for (let j: usize = 0; j < bytes(columns); j += 16) v128.store(target + j, f32x4.add(v128.load(target + j), v128.load(source + j)));
  }
}

/** Zeroes the listed rows of the gradient and forgets the list. */
export function clearRows(gradient: usize, width: i32, touched: usize, list: usize, count: i32): void {
  const size = bytes(width);
  for (let i = 0; i < count; i++) {
    const id = load<i32>(list + bytes(i));
    store<u8>(touched + <usize>id, 0);
    memory.fill(gradient + size * id, 0, size);
  }
}
