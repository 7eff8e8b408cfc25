import { defaultHyperparameters } from '../../../src/core/model/hyperparameters';
import type { TrainRequest, TrainingRow } from '../../../src/core/protocol/trainer';
import { Random } from '../../../src/core/util/random';

const phrases = {
  positive: ['a wonderful film', 'I loved every minute', 'great acting and a clever story', 'warmly recommended', '非常好看', '房间很干净', '味道不错，下次还来', '服务员很热情'],
  negative: ['a terrible bore', 'I want my money back', 'wooden acting and a stupid story', 'avoid it', '太难看了', '房间又脏又小', '味道很差，不会再来', '服务员态度恶劣'],
};
const fillers = ['on Monday evening', 'with my sister', 'in the small cinema', 'three hours long', '昨天晚上', '和朋友一起', '在市中心', '第一次'];

/** Short English and Chinese remarks whose label follows from one phrase in each. 0 is negative, 1 positive. */
export function bilingualRows(count: number, seed: number): TrainingRow[] {
  const random = new Random(seed);
  const pick = (from: readonly string[]): string => from[random.below(from.length)]!;
  return Array.from({ length: count }, () => {
    const label = random.below(2);
    return { text: random.shuffle([pick(fillers), pick(label === 1 ? phrases.positive : phrases.negative), pick(fillers)]).join(' '), label };
  });
}

/** A small, quick request. */
export function request(changes: Partial<TrainRequest> = {}, hyperparameters: Partial<TrainRequest['hyperparameters']> = {}): TrainRequest {
  return {
    preset: 'bilstm-pool',
    labels: ['negative', 'positive'],
    rows: bilingualRows(240, 1),
    validation: bilingualRows(100, 2),
    hyperparameters: { ...defaultHyperparameters(), embeddingSize: 16, hiddenUnits: 16, epochs: 6, learningRate: 0.01, dropout: 0.1, ...hyperparameters },
    workers: 1,
    precision: 'float32',
    identity: { name: 'remarks', version: '1', data: { file: 'remarks.csv' } },
    ...changes,
  };
}
