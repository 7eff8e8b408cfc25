import { Random } from '../../../src/core/util/random';

const words = {
  positive: ['great', 'wonderful', 'excellent', '很好', '喜欢', '满意'],
  negative: ['awful', 'terrible', 'boring', '很差', '失望', '难吃'],
  neither: ['the film', 'this room', 'service', 'we went', '酒店', '味道', '昨天', 'today'],
};

/** Small bilingual sentences whose one telling word decides. */
export function table(rows: number, seed: number): string {
  const random = new Random(seed);
  const pick = (list: readonly string[]): string => list[random.below(list.length)]!;
  const lines = ['id,text,label'];
  for (let row = 0; row < rows; row++) {
    const label = row % 2 === 0 ? 'positive' : 'negative';
    lines.push(`${row},"${pick(words.neither)}, ${pick(words.neither)} ""${pick(words[label])}"" ${pick(words.neither)} ${row}",${label}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}
