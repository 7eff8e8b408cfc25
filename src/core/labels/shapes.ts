/** Text that stands beside a label so that it is never told apart by colour alone, by the label's index. */
const shapes = ['●', '◆', '▲', '■', '★', '▼', '◉', '✚'] as const;

/** Number of label colours and shapes; later labels start again from the first, and keep their name beside it. */
export const STYLES = shapes.length;

/** Shape of the label with that index among the model's labels. */
export function shapeOf(index: number): string {
  return shapes[index % STYLES]!;
}
