/** The types of JSON Schema. */
export const schemaTypes = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const;

export type SchemaType = (typeof schemaTypes)[number];

/**
 * A schema while it is being compiled: only what Gemini can express, so that merging has few cases. Every member only narrows what is allowed, so leaving one out
 * makes the schema weaker, never stricter.
 */
export interface SchemaNode {
  types?: readonly SchemaType[];
  format?: string;
  title?: string;
  description?: string;
  /** Constraints that only words can express; they end up in the description. */
  notes?: readonly string[];
  enum?: readonly (string | number)[];
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  items?: SchemaNode;
  prefixItems?: readonly SchemaNode[];
  anyOf?: readonly SchemaNode[];
  /** A Map, because a property may be called `__proto__`. */
  properties?: ReadonlyMap<string, SchemaNode>;
  additionalProperties?: false | SchemaNode;
  required?: readonly string[];
  propertyOrdering?: readonly string[];
}
