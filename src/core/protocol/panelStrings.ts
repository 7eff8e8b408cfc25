/** Marks a text for `scripts/l10n.mjs`, which collects what is to be translated. The host translates (`src/panel/strings.ts`), since a page cannot. */
const l10n = { t: <T extends string>(text: T): T => text };

/** Every text of the panel's page, in English. `{0}`, `{1}` … are filled in by the page. */
export const panelStrings = {
  labelingPanel: l10n.t('Labeling Panel'),
} as const;

export type PanelStringKey = keyof typeof panelStrings;
