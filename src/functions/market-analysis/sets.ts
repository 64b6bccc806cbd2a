/** Auctions that are analysed together: those of a category, or those of it whose attribute has one value. */
export interface AuctionSet {
  readonly category: string;
  readonly attribute?: { readonly name: string; readonly value: string };
}

/** One of the second kind. */
export type AttributeSet = Required<AuctionSet>;

export function isOfAttribute(set: AuctionSet): set is AttributeSet {
  return set.attribute !== undefined;
}

/** What is analysed, as the topology declares it. */
export interface AnalysedSets {
  /** `*` for every one. */
  readonly category: string;
  /** A set for each value that it has; absent: the category is the set. */
  readonly attribute?: string;
}

/** What decides of an auction which sets it is in. */
export interface Classified {
  readonly category: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

const categoryPattern = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** In an id up to the first `=`, and in a path of JSON between quotes. */
const attributePattern = /^[A-Za-z0-9._~-]{1,64}$/;
/** Of a value's text: longer ones hardly make a set, and would make ids that nobody can handle. */
const longestValue = 100;

/** @throws {TypeError} naming a declaration that cannot be meant. */
export function checkAnalysed(analysed: readonly AnalysedSets[]): readonly AnalysedSets[] {
  for (const { category, attribute } of analysed) {
    const isSound =
      (category === "*" || categoryPattern.test(category)) &&
      (attribute === undefined || attributePattern.test(attribute));
    if (!isSound) throw new TypeError(`no sets of auctions are ${category} by ${attribute ?? "itself"}`);
  }
  return analysed;
}

/** The attributes by which anything is analysed. */
export function attributesOf(analysed: readonly AnalysedSets[]): string[] {
  const names = analysed.flatMap(({ attribute }) => (attribute === undefined ? [] : [attribute]));
  return [...new Set(names)];
}

/** The sets that an auction is in, each once where it is declared once. */
export function setsOf(auction: Classified, analysed: readonly AnalysedSets[]): AuctionSet[] {
  const { category, attributes } = auction;
  return analysed.flatMap(({ category: declared, attribute: name }): AuctionSet[] => {
    if (declared !== "*" && declared !== category) return [];
    if (name === undefined) return [{ category }];
    const value = valueOf(attributes, name);
    return value === undefined ? [] : [{ category, attribute: { name, value } }];
  });
}

function valueOf(attributes: Classified["attributes"], name: string): string | undefined {
  if (attributes === undefined || !Object.hasOwn(attributes, name)) return undefined;
  return textOf(attributes[name]);
}

/**
 * An attribute's value as an id has it: the text, or the number or boolean that is written so, as in
 * `GET /v1/auctions`. Undefined where it makes no set.
 */
export function textOf(value: unknown): string | undefined {
  const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  if (!isScalar) return undefined;
  const text = String(value);
  return text !== "" && text.length <= longestValue ? text : undefined;
}

/** `cars`, or `cars:year=2018`. */
export function analysisIdOf({ category, attribute }: AuctionSet): string {
  return attribute === undefined ? category : `${category}:${attribute.name}=${attribute.value}`;
}

/** The set that an id is of: neither a category nor a name has what ends it. Null where it is none. */
export function parseAnalysisId(id: string): AuctionSet | null {
  const [, category = "", name, value = ""] = /^([^:]*)(?::([^=]*)=(.*))?$/su.exec(id) ?? [];
  if (!categoryPattern.test(category)) return null;
  if (name === undefined) return { category };
  if (!attributePattern.test(name) || textOf(value) === undefined) return null;
  return { category, attribute: { name, value } };
}
