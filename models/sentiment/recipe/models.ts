/*
 * The models that are made from the encoder: a head each. What a card says and no number can.
 */

/** A shipped model. */
export interface ShippedModel {
  readonly name: string;
  /** Whose head it is, see sets.ts; the model's labels are the sets' labels. */
  readonly head: string;
  /** One line for model.json. */
  readonly description: string;
  readonly knownFailures: readonly string[];
}

/** The model whose folder has the encoder whole; the others share its weights. */
export const lender = 'sentiment';

export const shippedModels: readonly ShippedModel[] = [
  {
    name: lender,
    head: 'sentiment',
    description: 'Negative or positive, for English and Chinese texts: reviews, posts, single sentences.',
    knownFailures: [
      'It knows no neutral: neutral or factual text gets a score near one half at best. `sentiment-3` has a third label, for English posts.',
      'Irony, and praise of one thing to blame another.',
      'Labels of weibo_senti_100k come from emoticons in the text; so does its high accuracy.',
      'Domains far from reviews and posts (law, medicine, code) were not seen.',
    ],
  },
  {
    name: 'sentiment-3',
    head: 'sentiment-3',
    description: 'Negative, neutral or positive, for English posts.',
    knownFailures: ['Trained on posts of 2013 to 2016; reviews of several sentences are better served by `sentiment`.', 'Reports of bad news are often called negative though their writer takes no side.', 'Irony.'],
  },
  {
    name: 'news-topics',
    head: 'news-topics',
    description: 'World, Sports, Business or Sci/Tech, for English news.',
    knownFailures: ['News of 2004 and 2005: names and things since then are unknown to it.', 'Business and Sci/Tech share many texts about companies of that trade.'],
  },
  {
    name: 'chinese-news-topics',
    head: 'chinese-news-topics',
    description: 'Ten topics, for Chinese news headlines.',
    knownFailures: ['Made for headlines of about twenty characters.', 'Finance and stocks, society and politics are the pairs that it mixes up.'],
  },
  {
    name: 'emotion',
    head: 'emotion',
    description: 'Anger, joy, optimism or sadness, for English posts.',
    knownFailures: ['Every text gets one of the four, also one without emotion.', 'Optimism is rare in its data and often missed.'],
  },
  {
    name: 'spam',
    head: 'spam',
    description: 'Spam or ham, for short English messages.',
    knownFailures: ['Messages of the years around 2005, from Britain and Singapore; advertising of today looks different.', 'E-mail was not seen.'],
  },
  {
    name: 'offensive',
    head: 'offensive',
    description: 'Offensive or not, for English posts.',
    knownFailures: ['Swearing among friends is often called offensive, insults without swear words are often missed.', 'Do not decide about people by it.'],
  },
];
