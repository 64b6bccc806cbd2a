/**
 * Lint rules of Gavel's own, for what the linter's rules cannot say. oxlint loads this file with
 * ESLint's plugin interface; only the parts of it that are used are typed here.
 */
interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface Context {
  readonly options: readonly unknown[];
  report(problem: { readonly node: Node; readonly message: string }): void;
}

const message = (name: string): string =>
  `"${name}" is a variable of the environment: read it in src/config.ts, and pass the parsed Config on.`;

/**
 * Only `src/config.ts` reads variables and secrets, so that each is checked once and every other
 * file takes a parsed `Config`. Handing the whole `env` on is allowed, and so are the bindings
 * named in the rule's option, which are objects and not variables.
 */
const variablesOnlyInConfig = {
  meta: {
    type: "problem",
    schema: [
      {
        type: "object",
        properties: { bindings: { type: "array", items: { type: "string" } } },
        additionalProperties: false,
      },
    ],
  },
  create(context: Context) {
    const options = (context.options[0] ?? {}) as { readonly bindings?: readonly string[] };
    const bindings = new Set(options.bindings);
    const check = (node: Node, name: string): void => {
      if (!bindings.has(name)) context.report({ node, message: message(name) });
    };
    const checkPattern = (pattern: Node): void => {
      for (const property of pattern["properties"] as readonly Node[]) check(property, keyOf(property));
    };
    return {
      // env.KAFKA_URL, this.env["KAFKA_URL"], and process.env in any form.
      MemberExpression(node: Node): void {
        const object = node["object"] as Node;
        if (isProcessEnvironment(node)) context.report({ node, message: message("process.env") });
        else if (isEnvironment(object) && !isProcessEnvironment(object)) check(node, memberOf(node));
      },
      // const { KAFKA_URL } = env
      VariableDeclarator(node: Node): void {
        const pattern = node["id"] as Node;
        const source = node["init"] as Node | null;
        if (pattern.type === "ObjectPattern" && source && isEnvironment(source)) checkPattern(pattern);
      },
      // ({ env: { KAFKA_URL } }) => …
      Property(node: Node): void {
        const pattern = node["value"] as Node;
        if (pattern.type === "ObjectPattern" && keyOf(node) === "env") checkPattern(pattern);
      },
      // import { env } from "cloudflare:workers", which could be renamed out of this rule's sight.
      ImportSpecifier(node: Node): void {
        if ((node["imported"] as Node)["name"] === "env") {
          context.report({ node, message: message("env") });
        }
      },
    };
  },
};

/** An expression that is the environment: `env`, or anything's property of that name. */
function isEnvironment(node: Node): boolean {
  if (node.type === "Identifier") return node["name"] === "env";
  return node.type === "MemberExpression" && memberOf(node) === "env";
}

function isProcessEnvironment(node: Node): boolean {
  const object = node["object"] as Node | undefined;
  return isEnvironment(node) && object?.type === "Identifier" && object["name"] === "process";
}

function memberOf(node: Node): string {
  return nameOf(node["property"] as Node, node["computed"] === true);
}

function keyOf(property: Node): string {
  if (property.type === "RestElement") return "...";
  return nameOf(property["key"] as Node, property["computed"] === true);
}

/** The name that an identifier or a literal gives; what is only known at run time is `[…]`. */
function nameOf(node: Node, computed: boolean): string {
  if (node.type === "Literal") return String(node["value"]);
  return computed || node.type !== "Identifier" ? "[…]" : String(node["name"]);
}

export default {
  meta: { name: "gavel" },
  rules: { "variables-only-in-config": variablesOnlyInConfig },
};
