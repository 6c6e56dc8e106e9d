// Writes TypeScript types for the schemas of the node's OpenAPI document:
//   belfry openapi | node tools/types.mjs - src/api.ts
// A member is optional unless the document says that it is required.
import { readFileSync, writeFileSync } from "node:fs";

const [from, to] = process.argv.slice(2);
const document = JSON.parse(readFileSync(from === "-" ? 0 : from, "utf8"));

const simple = { string: "string", integer: "number", number: "number", boolean: "boolean", null: "null" };

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (schema.oneOf) return schema.oneOf.map(typeOf).join(" | ");
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(" | ");
  if (schema.type === "array") {
    const element = typeOf(schema.items ?? {});
    return element.includes("|") ? `(${element})[]` : `${element}[]`;
  }
  if (schema.type === "object") return `Record<string, ${typeOf(schema.additionalProperties || {})}>`;
  return simple[schema.type] ?? "unknown";
}

function comment(text, indent) {
  return text ? `${indent}/** ${text.replaceAll("*/", "* /")} */\n` : "";
}

let out = "// Made by tools/types.mjs from the OpenAPI document of the node (`belfry openapi`). Do not edit.\n";
for (const [name, schema] of Object.entries(document.components.schemas)) {
  const required = new Set(schema.required ?? []);
  out += `\n${comment(schema.description, "")}export interface ${name} {\n`;
  for (const [member, type] of Object.entries(schema.properties)) {
    const key = /^[A-Za-z_]\w*$/.test(member) ? member : JSON.stringify(member);
    out += `${comment(type.description, "  ")}  ${key}${required.has(member) ? "" : "?"}: ${typeOf(type)};\n`;
  }
  out += "}\n";
}
writeFileSync(to, out);
