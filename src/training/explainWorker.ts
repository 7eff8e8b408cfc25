import { CancelledError } from '../core/errors';
import { validateBundle } from '../core/model/bundle';
import type { ExplainerMethods, ExplainTarget, WordShares } from '../core/protocol/explainer';
import type { BundleFiles } from '../core/protocol/predictor';
import { serve, type Port } from '../core/protocol/rpc';
import { truncation, type Token, type Tokenizer } from '../core/text/tokenizer';
import { piecePrefix } from '../core/text/vocabulary';
import { createKernelEngine } from './kernels/kernelEngine';
import { TextGradient } from './textGradient';

export interface ExplainerPlatform {
  /** Resolves after the messages that have come in were handled, so that what was cancelled meanwhile is not begun. */
  readonly pause: () => Promise<void>;
}

/** Serves {@link ExplainerMethods} on `port`. */
export function runExplainerWorker(port: Port, { pause }: ExplainerPlatform): void {
  const models = new Map<string, Promise<ExplainedModel>>();
  serve<ExplainerMethods>(port, {
    load: async ({ key, where, bundle }) => {
      const opening = ExplainedModel.open(bundle, where);
      models.set(key, opening);
      await opening;
      return null;
    },
    unload: ({ key }) => {
      // its memory goes with the last reference to it
      models.delete(key);
      return null;
    },
    explain: async ({ key, text, target }, { signal }) => {
      const model = await models.get(key);
      if (!model) throw new Error(`No model ${key} is loaded.`);
      await pause();
      if (signal.aborted) throw new CancelledError();
      return model.explain(text, target);
    },
  });
}

/** A model that says what its word owes to the words of a text. */
export class ExplainedModel {
  private constructor(
    private readonly tokenizer: Tokenizer,
    private readonly gradient: TextGradient,
  ) {}

  /**
   * @throws HumanError when the bundle is not valid
   * @throws Error when the engine cannot compute such a model
   */
  static async open(files: BundleFiles, where: string): Promise<ExplainedModel> {
    const bundle = validateBundle(files, where);
    return new ExplainedModel(bundle.tokenizer, await TextGradient.open(bundle, createKernelEngine()));
  }

  explain(text: string, target: ExplainTarget): WordShares {
    const { tokenizer } = this;
    const { scores, shares } = this.gradient.explain(tokenizer.encode(text), target);
    const words: { start: number; end: number; share: number }[] = [];
    readTokens(tokenizer, text).forEach(({ text: token, start, end }, t) => {
      const share = shares[t] ?? 0;
      const last = words.at(-1);
      // pieces of a word, and tokens of one character such as ½, which share their range
      if (last && (start < last.end || (token.startsWith(piecePrefix) && start === last.end))) {
        last.end = Math.max(last.end, end);
        last.share += share;
      } else words.push({ start, end, share });
    });
    return {
      scores,
      starts: Int32Array.from(words, ({ start }) => start),
      ends: Int32Array.from(words, ({ end }) => end),
      shares: Float32Array.from(words, ({ share }) => share),
    };
  }
}

/** Those tokens of a text that {@link Tokenizer.encode} keeps. */
function readTokens(tokenizer: Tokenizer, text: string): readonly Token[] {
  const tokens = tokenizer.tokens(text);
  const { head, tail } = truncation(tokens.length, tokenizer.maxTokens);
  return tail === 0 ? tokens.slice(0, head) : [...tokens.slice(0, head), ...tokens.slice(-tail)];
}
