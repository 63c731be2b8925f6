/**
 * Reads `{"document", "samples": [{"schema", "value"}]}` from stdin and prints, as JSON, what is wrong with the document and
 * with the values by their schemas. A process of its own with `--no-lock`, and computed specifiers: Deno downloads all that
 * the module graph or deno.lock has, for `deno task start` too.
 */
interface Validators {
  Validator: new () => { validate(document: object): Promise<{ valid: boolean; errors?: unknown }> };
  default: new (options: object) => { validate(schema: object, value: unknown): boolean; errors: unknown };
}

const specifiers = ["npm:@seriousme/openapi-schema-validator@2.11.0", "npm:ajv@8.20.0/dist/2020.js"];
const [{ Validator }, { default: Ajv }] = await Promise.all(
  specifiers.map((specifier): Promise<Validators> => import(specifier)),
);
const { document, samples } = await new Response(Deno.stdin.readable).json();
const { valid, errors = valid } = await new Validator().validate(document);
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
const wrong = (samples as { schema: object; value: unknown }[])
  .flatMap(({ schema, value }) => ajv.validate(schema, value) ? [] : [{ value, errors: ajv.errors }]);
console.log(JSON.stringify([...(valid ? [] : [errors]), ...wrong]));
