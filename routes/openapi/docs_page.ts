/**
 * The page `/docs`.
 *
 * It is made on the server, from the route table and the document of `/openapi.json`, and has no script: what it shows
 * is read, searched and printed with what a browser has, works without JavaScript and with a keyboard, weighs less than
 * any viewer, and needs no other policy than that styles come from here.
 *
 * @module
 */
import { html } from "hono/html";
import { PROBLEMS } from "../../core/problem.ts";
import { examplesOf } from "../table/examples.ts";
import { OPERATIONS } from "../table/mod.ts";
import { type Operation, type Tag, TAGS } from "../table/operation.ts";
import { curlOf } from "./curl.ts";
import { type Html, prose, schemaTable, typeOf } from "./docs_schema.ts";
import { type OpenApiDocument, openApiPath } from "./document.ts";
import { type JsonSchema, schemaOf } from "./json_schema.ts";
import { problemExample, problemSchemaName, problemsOf, statusesOf } from "./problems.ts";

const KINDS = Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[];

/** Writes the page. */
export function docsPage({ info, components }: OpenApiDocument): string {
  const problems = KINDS.map(problemSchemaName);
  const schemas = Object.entries(components["schemas"] as Record<string, JsonSchema>)
    .filter(([name]) => !problems.includes(name));
  const tags = Object.keys(TAGS) as Tag[];
  const page = html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>amalgam: API reference</title>
        <link rel="stylesheet" href="/docs/style.css">
        <link rel="service-desc" type="application/json" href="/openapi.json">
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <nav aria-label="Contents">${tags.map(tagLinks)}${furtherLinks(schemas)}</nav>
        <main id="content">
              <h1>amalgam ${info["version"]}: API reference</h1>
              <p>${prose(String(info["description"]))}</p>
              <p>For programs the same stands in <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). In the
                commands <code>$AMALGAM</code> is the service's address and <code>$KEY</code> a bearer key; a service
                without keys ignores it.</p>
              ${tags.map(tagSection)}
              <section aria-labelledby="problems">
                <h2 id="problems">Problems</h2>
                ${KINDS.map(problemArticle)}
              </section>
              <section aria-labelledby="schemas">
                <h2 id="schemas">Schemas</h2>
                ${schemas.map(([name, schema]) => schemaArticle(name, schema))}
              </section>
            </main>
      </body>
    </html>
  `;
  return String(page);
}

function operationsOf(tag: Tag): readonly Operation[] {
  return OPERATIONS.filter((operation) => operation.tag === tag);
}

function methodAndPath({ method, path }: Operation): Html {
  const name = method.toLowerCase();
  return html`<span class="method ${name}">${method}</span> <code>${openApiPath(path)}</code>`;
}

function tagLinks(tag: Tag): Html {
  return html`
    <strong>${tag}</strong>
    <ul>${operationsOf(tag).map((operation) =>
      html`<li><a href="#${operation.id}">${methodAndPath(operation)}</a></li>`
    )}</ul>
  `;
}

function furtherLinks(schemas: readonly (readonly [string, unknown])[]): Html {
  return html`
    <strong><a href="#problems">Problems</a></strong>
    <ul>${KINDS.map((kind) => html`<li><a href="#problem-${kind}">${kind}</a></li>`)}</ul>
    <strong><a href="#schemas">Schemas</a></strong>
    <ul>${schemas.map(([name]) => html`<li><a href="#schema-${name}">${name}</a></li>`)}</ul>
  `;
}

function tagSection(tag: Tag): Html {
  const id = `tag-${tag.toLowerCase()}`;
  return html`
    <section aria-labelledby="${id}">
      <h2 id="${id}">${tag}</h2>
      <p>${prose(TAGS[tag])}</p>
      ${operationsOf(tag).map(operationArticle)}
    </section>
  `;
}

function operationArticle(operation: Operation): Html {
  const { id, summary, description, scopes, long, parameters = [] } = operation;
  const access = scopes.length === 0
    ? "Answers without a key."
    : `Needs a key with the scope ${scopes.join(" or ")}.`;
  return html`
    <article id="${id}">
      <h3>${methodAndPath(operation)}</h3>
      <p>${prose(`${summary}. ${description ?? ""}`)}</p>
      <p class="dim">${access} ${long ? "May be a job." : ""} Operation <code>${id}</code>.</p>
      ${parameters.length === 0 ? "" : parametersTable(parameters)}
      ${requestPart(operation)}
      ${answersTable(operation)}
      <p>Problems: ${problemsOf(operation).map((kind, i) =>
        html`${i === 0 ? "" : ", "}<a href="#problem-${kind}">${kind}</a>`
      )}.</p>
      ${examplesOf(id).map((example) =>
        html`
          <details>
            <summary>${example.summary}</summary>
            <pre tabindex="0"><code>${curlOf(operation, example)}</code></pre>
          </details>
        `
      )}
    </article>
  `;
}

function parametersTable(parameters: NonNullable<Operation["parameters"]>): Html {
  return html`
    <h4>Parameters</h4>
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Type</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>${parameters.map(({ name, in: place, schema, description }) =>
        html`
          <tr>
            <td><code>${name}</code> <span class="dim">${place}</span></td>
            <td>${typeOf(schemaOf(schema))}</td>
            <td>${prose(description)}</td>
          </tr>
        `
      )}</tbody>
    </table>
  `;
}

function requestPart({ body }: Operation): Html | string {
  if (body === undefined) return "";
  if (body.kind === "bytes") {
    return html`
      <h4>Request</h4>
      <p>${prose(body.description)}</p>
    `;
  }
  return html`
    <h4>Request</h4>
    <p>${typeOf(
      schemaOf(body.schema),
    )} as JSON or YAML; with uploads <code>multipart/form-data</code>, its first
      part <code>${body.part}</code>, then a file part for each source.</p>
  `;
}

function answersTable({ answers }: Operation): Html {
  const rows = Object.entries(answers).map(([status, { description, content = {} }]) => {
    const types = Object.entries(content).map(([type, each], i) => {
      const what = "schema" in each ? html`: ${typeOf(schemaOf(each.schema))}` : "";
      return html`${i === 0 ? "" : html`<br>`}<code>${type}</code>${what}`;
    });
    return html`
      <tr>
        <td>${status}</td>
        <td>${types}</td>
        <td>${prose(description)}</td>
      </tr>
    `;
  });
  return html`
    <h4>Answers</h4>
    <table>
      <thead>
        <tr>
          <th scope="col">Status</th>
          <th scope="col">Content</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
  `;
}

function problemArticle(kind: typeof KINDS[number]): Html {
  const { title, when } = PROBLEMS[kind];
  return html`
    <article id="problem-${kind}">
      <h3>${kind} <span class="dim">${statusesOf(kind).join(", ")}</span></h3>
      <p>${prose(`${title}. ${when}`)} <a href="/problems/${kind}">/problems/${kind}</a></p>
      <pre tabindex="0"><code>${JSON.stringify(problemExample(kind), null, 2)}</code></pre>
    </article>
  `;
}

function schemaArticle(name: string, schema: JsonSchema): Html {
  const { description } = schema;
  return html`
    <article id="schema-${name}">
      <h3>${name}</h3>
      ${typeof description === "string" ? html`<p>${prose(description)}</p>` : ""}
      ${schemaTable(schema)}
    </article>
  `;
}
