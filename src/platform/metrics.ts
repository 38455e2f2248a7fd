/** What the hub counts, for Prometheus. Label values are few and known: ids of connections, rules and states, never people. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  /** @param connection its id, or `unknown`. @param status the answer's status word or number. */
  webhook(connection: string, status: string, seconds: number): void
  inboxSettled(state: string, count: number): void
  /** From arrival to the end of its work. */
  inboxLag(seconds: number): void
  /** @param result `sent`, `retry`, `dead` or `cancelled`. */
  delivery(lane: string, result: string, seconds: number): void
  ruleOutcome(rule: string, result: string, count: number): void
  http(method: string, route: string, status: number, seconds: number): void
  /** A worker that lost its lease tried to write. */
  fencedOff(ledger: string): void
  /** Read when Prometheus asks; a reading that fails leaves the gauge out. */
  gauge(name: string, help: string, label: string, read: () => Promise<ReadonlyMap<string, number>>): void
  /** The exposition format, of type `contentType`. */
  text(): Promise<string>
  readonly contentType: string
}

const latencies = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const lags = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600]

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const webhooks = new Histogram({
    name: 'deskweave_webhook_seconds',
    help: 'Webhooks by connection and answer: their number, and the time to the answer',
    labelNames: ['connection', 'status'],
    buckets: latencies,
    registers,
  })
  const inbox = new Counter({
    name: 'deskweave_inbox_settled_total',
    help: 'Inbox rows worked, by state',
    labelNames: ['state'],
    registers,
  })
  const lag = new Histogram({
    name: 'deskweave_inbox_lag_seconds',
    help: 'From arrival to the end of the work',
    buckets: lags,
    registers,
  })
  const deliveries = new Histogram({
    name: 'deskweave_delivery_seconds',
    help: 'Calls that deliver an effect, by lane and result',
    labelNames: ['lane', 'result'],
    buckets: latencies,
    registers,
  })
  const rules = new Counter({
    name: 'deskweave_rule_outcomes_total',
    help: 'Outcomes of rules',
    labelNames: ['rule', 'result'],
    registers,
  })
  const http = new Histogram({
    name: 'deskweave_http_seconds',
    help: 'Requests to the API and the pages',
    labelNames: ['method', 'route', 'status'],
    buckets: latencies,
    registers,
  })
  const fenced = new Counter({
    name: 'deskweave_fenced_off_total',
    help: 'Writes refused because the lease had gone to another worker',
    labelNames: ['ledger'],
    registers,
  })
  let hasProcessMetrics = false
  return {
    webhook: (connection, status, seconds) => webhooks.observe({ connection, status }, seconds),
    inboxSettled: (state, count) => inbox.inc({ state }, count),
    inboxLag: (seconds) => lag.observe(seconds),
    delivery: (lane, result, seconds) => deliveries.observe({ lane, result }, seconds),
    ruleOutcome: (rule, result, count) => rules.inc({ rule, result }, count),
    http: (method, route, status, seconds) => http.observe({ method, route, status }, seconds),
    fencedOff: (ledger) => fenced.inc({ ledger }),
    gauge(name, help, label, read) {
      const gauge = new Gauge({
        name,
        help,
        labelNames: [label],
        registers,
        async collect() {
          gauge.reset()
          const values = await read().catch(() => new Map<string, number>())
          for (const [key, value] of values) gauge.set({ [label]: key }, value)
        },
      })
    },
    async text() {
      // They watch garbage collection and the event loop, which costs something: only for those who read them.
      if (!hasProcessMetrics) collectDefaultMetrics({ register: registry })
      hasProcessMetrics = true
      return await registry.metrics()
    },
    contentType: registry.contentType,
  }
}
