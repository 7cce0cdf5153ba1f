/**
 * A collector of OpenTelemetry's protocol over HTTP with JSON, for tests.
 *
 * @module
 */

/** A span as it came. */
export interface CollectedSpan {
  readonly name: string;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number; readonly message: string };
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** One point of an instrument. */
export interface CollectedPoint {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The sum, or the last value. */
  readonly value: number;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface DataPoint {
  readonly attributes: readonly KeyValue[];
  readonly asInt?: string | number;
  readonly asDouble?: number;
  readonly sum?: number;
}

interface Metric {
  readonly name: string;
  readonly sum?: { readonly dataPoints: readonly DataPoint[] };
  readonly gauge?: { readonly dataPoints: readonly DataPoint[] };
  readonly histogram?: { readonly dataPoints: readonly DataPoint[] };
}

type RawSpan = Omit<CollectedSpan, "scope" | "attributes"> & {
  readonly attributes: readonly KeyValue[];
};

interface Payload {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly RawSpan[];
    }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
}

/** A running collector. */
export interface Collector {
  /** What a service is told to send to it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Every byte that came, as text. */
  readonly text: () => string;
  readonly spans: () => CollectedSpan[];
  /** The last points of an instrument. */
  readonly points: (name: string) => CollectedPoint[];
  close(): Promise<void>;
}

/** Starts a collector on a free port. */
export function startCollector(): Collector {
  const texts: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      texts.push(JSON.stringify([request.url, ...request.headers]));
      texts.push(await request.text());
      return Response.json({});
    },
  );
  const payloads = () =>
    texts.filter((text) => text.startsWith("{")).map((text) => JSON.parse(text) as Payload);
  return {
    environment: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRIC_EXPORT_INTERVAL: "200",
    },
    text: () => texts.join("\n"),
    spans: () =>
      payloads().flatMap(({ resourceSpans = [] }) =>
        resourceSpans.flatMap(({ scopeSpans }) =>
          scopeSpans.flatMap(({ scope, spans }) =>
            spans.map((span) => ({
              ...span,
              scope: scope.name,
              attributes: plain(span.attributes),
            }))
          )
        )
      ),
    points(name) {
      const metrics = payloads().flatMap(({ resourceMetrics = [] }) =>
        resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((each) => each.metrics))
      );
      const last = metrics.findLast((metric) => metric.name === name);
      const data = last?.sum ?? last?.gauge ?? last?.histogram;
      return (data?.dataPoints ?? []).map(({ attributes, asInt, asDouble, sum }) => ({
        attributes: plain(attributes),
        value: Number(asInt ?? asDouble ?? sum),
      }));
    },
    close: () => server.shutdown(),
  };
}

function plain(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
  );
}
