/*
 * What the encoder is trained on: which files, for which question, and how many of their rows are held out.
 */

/** A labelled set. */
export interface LabelledSet {
  readonly name: string;
  /** Train file, in the data folder. */
  readonly file: string;
  /** The question that its labels answer; sets with the same one share a head. */
  readonly head: string;
  /** Column of the labels; `label` if absent. */
  readonly labelColumn?: string;
  readonly language: 'en' | 'zh';
  /** Official validation file; its rows are held out. */
  readonly valid?: string;
  /** Share of the train rows, by the hash of their text, that is held out where there is no validation file. */
  readonly heldOut?: number;
  /** TweetEval writes `http` for an address: of the texts to train on half get one again, so that the model knows both. */
  readonly links?: true;
  /** Rows come a second time with the title before the text. */
  readonly hasTitles?: true;
  /** For cards: the set's name with its source, and the terms that its publisher states. */
  readonly title: string;
  readonly terms: string;
}

export const labelledSets: readonly LabelledSet[] = [
  { name: 'imdb', file: 'imdb/train.csv.gz', head: 'sentiment', language: 'en', heldOut: 0.05, title: 'IMDb reviews (Maas et al. 2011)', terms: 'no formal licence, research use' },
  { name: 'sst2', file: 'sst2/train_phrases.csv.gz', head: 'sentiment', language: 'en', valid: 'sst2/valid.csv.gz', title: 'SST-2 phrases (Socher et al. 2013)', terms: 'none stated' },
  { name: 'rotten_tomatoes', file: 'rotten_tomatoes/train.csv.gz', head: 'sentiment', language: 'en', heldOut: 0.07, title: 'MR snippets (Pang & Lee 2005)', terms: 'none stated' },
  { name: 'customer_reviews', file: 'customer_reviews/train.csv.gz', head: 'sentiment', language: 'en', heldOut: 0.1, title: 'customer reviews (Hu & Liu 2004)', terms: 'none stated' },
  { name: 'uci_sentences', file: 'uci_sentences/train.csv.gz', head: 'sentiment', language: 'en', heldOut: 0.15, title: 'UCI sentences (Kotzias et al. 2015)', terms: 'CC BY 4.0' },
  { name: 'chnsenticorp_hotel', file: 'chnsenticorp_hotel/train.csv.gz', head: 'sentiment', language: 'zh', heldOut: 0.1, title: 'ChnSentiCorp hotel reviews', terms: 'none stated' },
  { name: 'online_shopping_10_cats', file: 'online_shopping_10_cats/train.csv.gz', head: 'sentiment', language: 'zh', heldOut: 0.025, title: 'online_shopping_10_cats', terms: 'none stated' },
  { name: 'waimai_10k', file: 'waimai_10k/train.csv.gz', head: 'sentiment', language: 'zh', heldOut: 0.06, title: 'waimai_10k', terms: 'none stated' },
  { name: 'weibo2018', file: 'weibo2018/train.csv.gz', head: 'sentiment', language: 'zh', heldOut: 0.06, title: 'weibo2018', terms: 'none stated' },
  { name: 'weibo_senti_100k_part', file: 'weibo_senti_100k_part/train.csv.gz', head: 'sentiment', language: 'zh', heldOut: 0.03, title: 'weibo_senti_100k (a fifth of it)', terms: 'none stated' },
  { name: 'tweeteval_sentiment', file: 'tweeteval_sentiment/train.csv.gz', head: 'sentiment-3', language: 'en', valid: 'tweeteval_sentiment/valid.csv.gz', links: true, title: 'TweetEval sentiment (Rosenthal et al. 2017)', terms: 'no restrictions of TweetEval’s own; those of the task and of Twitter may apply' },
  { name: 'ag_news', file: 'ag_news/train.csv.gz', head: 'news-topics', language: 'en', heldOut: 0.06, hasTitles: true, title: 'AG News, 21,557 of 120,000 rows (Zhang et al. 2015)', terms: 'research and other non-commercial use' },
  { name: 'thucnews_titles', file: 'thucnews_titles/train.csv.gz', head: 'chinese-news-topics', language: 'zh', heldOut: 0.08, title: 'THUCNews titles', terms: 'free for research, else ask THUNLP' },
  { name: 'tweeteval_emotion', file: 'tweeteval_emotion/train.csv.gz', head: 'emotion', language: 'en', valid: 'tweeteval_emotion/valid.csv.gz', links: true, title: 'TweetEval emotion (Mohammad et al. 2018)', terms: 'as TweetEval sentiment' },
  { name: 'sms_spam', file: 'sms_spam/train.csv.gz', head: 'spam', language: 'en', heldOut: 0.1, title: 'SMS Spam (Almeida et al. 2011)', terms: 'CC BY 4.0' },
  { name: 'tweeteval_offensive', file: 'tweeteval_offensive/train.csv.gz', head: 'offensive', language: 'en', valid: 'tweeteval_offensive/valid.csv.gz', links: true, title: 'TweetEval offensive (Zampieri et al. 2019)', terms: 'as TweetEval sentiment' },
  { name: 'sst5', file: 'sst5/train.csv.gz', head: 'sst5', language: 'en', valid: 'sst5/valid.csv.gz', title: 'SST-5', terms: 'none stated' },
  { name: 'trec', file: 'trec/train.csv.gz', head: 'trec', labelColumn: 'fine_label', language: 'en', heldOut: 0.08, title: 'TREC questions (Li & Roth 2002)', terms: 'none stated' },
  { name: 'tweeteval_irony', file: 'tweeteval_irony/train.csv.gz', head: 'irony', language: 'en', valid: 'tweeteval_irony/valid.csv.gz', links: true, title: 'TweetEval irony', terms: 'as TweetEval sentiment' },
  { name: 'tweeteval_hate', file: 'tweeteval_hate/train.csv.gz', head: 'hate', language: 'en', valid: 'tweeteval_hate/valid.csv.gz', links: true, title: 'TweetEval hate', terms: 'as TweetEval sentiment' },
  { name: 'fake_or_real_news', file: 'fake_or_real_news/train.csv.gz', head: 'fake-news', language: 'en', heldOut: 0.08, title: 'fake_or_real_news headlines', terms: 'none stated' },
  { name: 'liar', file: 'liar/train.csv.gz', head: 'liar', language: 'en', valid: 'liar/valid.csv.gz', title: 'LIAR (Wang 2017)', terms: 'research only' },
  { name: 'movie_scale_regression', file: 'movie_scale_regression/train.csv.gz', head: 'movie-scale', labelColumn: 'class3', language: 'en', heldOut: 0.05, title: 'film reviews of the scale data (Pang & Lee 2005)', terms: 'none stated' },
  { name: 'shopping_categories', file: 'online_shopping_10_cats/train.csv.gz', head: 'product-category', labelColumn: 'category', language: 'zh', heldOut: 0.025, title: 'product kinds of online_shopping_10_cats', terms: 'none stated' },
  { name: 'english_sources', file: 'english_text/unlabelled.csv.gz', head: 'english-source', labelColumn: 'source', language: 'en', heldOut: 0.02, title: 'kinds of the Brown corpus, Moby-Dick and inaugural addresses', terms: 'redistribution permitted, public domain' },
  { name: 'chinese_sources', file: 'chinese_text/unlabelled.csv.gz', head: 'chinese-source', labelColumn: 'source', language: 'zh', heldOut: 0.01, title: 'kinds of FewCLUE texts', terms: 'none stated' },
];

/** Texts without labels. The language models read them, as they read all labelled texts; and the head `sentiment` learns from what n-grams, later n-grams and the LSTM together, make of them. */
export interface UnlabelledSet {
  readonly name: string;
  readonly file: string;
  readonly language: 'en' | 'zh';
  readonly title: string;
  /** Rows to take: those whose `source` is this; all if absent. */
  readonly source?: string;
  /** The sets of like texts whose labels tell what these probably are. */
  readonly taughtBy: readonly string[];
}

export const unlabelledSets: readonly UnlabelledSet[] = [
  { name: 'imdb_unsup', file: 'imdb/unsup.csv.gz', language: 'en', title: 'IMDb reviews without labels', taughtBy: ['imdb'] },
  {
    name: 'chinese_reviews',
    file: 'chinese_text/unlabelled.csv.gz',
    language: 'zh',
    title: 'product reviews of FewCLUE without labels',
    source: 'product review',
    taughtBy: ['online_shopping_10_cats', 'chnsenticorp_hotel'],
  },
];

/** Files whose texts are trained on by nobody, beside the validation files. */
export const testFiles: readonly string[] = [
  'trec/test.csv.gz',
  'tweeteval_emotion/test.csv.gz',
  'tweeteval_irony/test.csv.gz',
  'tweeteval_offensive/test.csv.gz',
  'tweeteval_hate/test.csv.gz',
  'liar/test.csv.gz',
  'weibo2018/test.csv.gz',
  'thucnews_titles/test.csv.gz',
];

/** Sets whose texts hold one another: SST's sentences and phrases were cut from the snippets of MR. */
export const nested: readonly (readonly string[])[] = [['sst2', 'sst5', 'rotten_tomatoes'], ['uci_sentences', 'imdb'], ['uci_sentences', 'imdb_unsup']];
