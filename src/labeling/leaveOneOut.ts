import { dot } from '../core/util/dot';

/**
 * What kernel ridge regression says of each row when it learns from the others alone, in closed form: the inverse of the matrix of inner products, plus `noise` on its diagonal, has it all (Golub, Heath & Wahba,
 * "Generalized cross-validation", Technometrics 21, 1979).
 *
 * @param products [rows, rows] inner products of the inputs
 * @param noise above 0
 * @param targets [rows, outputs]
 * @returns [rows, outputs] targets less predictions
 */
export function leaveOneOut(products: Float64Array, rows: number, noise: number, targets: Float64Array, outputs: number): Float64Array {
  const inverse = inverseOfRoot(products, rows, noise);
  // the inverse of L·Lᵀ is the product of L⁻¹'s columns with each other; L⁻¹ lies here column by column
  const errors = new Float64Array(rows * outputs);
  const reduced = new Float64Array(rows);
  for (let k = 0; k < outputs; k++) {
    reduced.fill(0);
    for (let column = 0; column < rows; column++) {
      const target = targets[column * outputs + k]!;
      if (target !== 0) for (let row = column; row < rows; row++) reduced[row]! += target * inverse[column * rows + row]!;
    }
    for (let row = 0; row < rows; row++) errors[row * outputs + k] = dot(inverse, row * rows + row, reduced, row, rows - row);
  }
  for (let row = 0; row < rows; row++) {
    const own = dot(inverse, row * rows + row, inverse, row * rows + row, rows - row);
    for (let k = 0; k < outputs; k++) errors[row * outputs + k]! /= own;
  }
  return errors;
}

/** The inverse of the Cholesky root L of products + noise·I; element (row, column) lies at column·rows + row. */
function inverseOfRoot(products: Float64Array, rows: number, noise: number): Float64Array {
  const root = new Float64Array(rows * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < row; column++) {
      root[row * rows + column] = (products[row * rows + column]! - dot(root, row * rows, root, column * rows, column)) / root[column * rows + column]!;
    }
    const square = products[row * rows + row]! + noise - dot(root, row * rows, root, row * rows, row);
    // rounding may take what noise has given
    root[row * rows + row] = Math.sqrt(Math.max(square, 1e-9 * noise));
  }
  const inverse = new Float64Array(rows * rows);
  for (let column = 0; column < rows; column++) {
    inverse[column * rows + column] = 1 / root[column * rows + column]!;
    for (let row = column + 1; row < rows; row++) {
      inverse[column * rows + row] = -dot(root, row * rows + column, inverse, column * rows + column, row - column) / root[row * rows + row]!;
    }
  }
  return inverse;
}
