/**
 * Greedy k-centre (Gonzalez 1985): orders points so that each is the farthest from all before it and from the `known` ones. Every beginning of the order is spread over the whole.
 *
 * @param points [count, width]
 * @param known [*, width] points that count as taken already
 * @returns permutation of 0..count-1; of equally far points the earlier comes first
 */
export function spread(points: Float32Array, count: number, width: number, known: Float32Array): Int32Array {
  const distances = new Float64Array(count).fill(Infinity);
  const approach = (other: Float32Array, at: number): void => {
    for (let i = 0; i < count; i++) {
      const limit = distances[i]!;
      if (limit < 0) continue;
      let square = 0;
      for (let j = 0, p = i * width, q = at; j < width; j++) {
        const part = points[p + j]! - other[q + j]!;
        square += part * part;
      }
      if (square < limit) distances[i] = square;
    }
  };
  for (let at = 0; at < known.length; at += width) approach(known, at);
  const order = new Int32Array(count);
  for (let place = 0; place < count; place++) {
    let farthest = -1;
    for (let i = 0; i < count; i++) if (distances[i]! >= 0 && (farthest < 0 || distances[i]! > distances[farthest]!)) farthest = i;
    order[place] = farthest;
    distances[farthest] = -1;
    approach(points, farthest * width);
  }
  return order;
}
