/**
 * How the rooms are put together, on the foundation of one process. In: database, queue, signals. Out: what answers, what
 * works, in the order in which it starts.
 */
import { connectors } from '#connectors'
import { adminToken, mountApi } from '#hub/api/index.ts'
import { chatPageRouter, createChatDesk, defineChatJobs } from '#hub/chat/index.ts'
import { createConnections } from '#hub/connections/index.ts'
import { createDelivery } from '#hub/delivery/index.ts'
import type { Hub } from '#hub/hub.ts'
import { createInbox } from '#hub/inbox/index.ts'
import { createIngress } from '#hub/ingress/index.ts'
import type { OpenRooms, Part } from '#hub/main.ts'
import { oauthRouter } from '#hub/oauth/index.ts'
import { afterDelivery } from '#hub/pipeline/after-delivery.ts'
import { publish } from '#hub/pipeline/command.ts'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { createRuleBook } from '#hub/pipeline/rule-book.ts'
import { createInboxWorker } from '#hub/pipeline/worker.ts'
import { createReconciliation } from '#hub/reconcile/index.ts'
import { defineSnoozeJobs } from '#hub/snoozes/index.ts'
import { createStaff } from '#hub/staff/index.ts'
import { defineSurveyJobs, surveyRouter } from '#hub/surveys/index.ts'
import { createWatch } from '#hub/watch/index.ts'

export const openRooms: OpenRooms = async (foundation, stopping) => {
  const connections = createConnections({ ...foundation, connectors })
  const hub: Hub = { ...foundation, connections }
  const rules = createRuleBook(hub.signals)
  const delivery = hub.env.roles.includes('worker') ? createDelivery(hub, afterDelivery(hub)) : undefined
  const worker = delivery && createInboxWorker({ ...hub, newHandover: delivery.newHandover }, rules)
  const inbox = createInbox(hub.intake, () => hub.signals.raise('inbox'), worker?.desk)
  const reconciliation = createReconciliation(hub, inbox, stopping)
  const ownHub = {
    ...hub,
    inWorkspace: <T>(work: Parameters<typeof inWorkspace<T>>[1]) => inWorkspace(hub.db, work),
    publish: (...[trx, events]: [Parameters<typeof publish>[0], Parameters<typeof publish>[3]]) =>
      publish(trx, hub, rules, events),
  }
  await defineSurveyJobs(ownHub)
  await defineSnoozeJobs(ownHub)
  await defineChatJobs(hub)
  await reconciliation.defineJobs()
  const staff = createStaff(hub, stopping)
  await staff.defineJobs()

  const desk = createChatDesk(hub)
  const hooks = createIngress(hub, inbox, desk)
  const parts: Part[] = [
    { start: connections.start, stop: connections.close },
    { start: () => {}, stop: desk.stop },
    ...(delivery && worker
      ? [delivery, worker, createWatch(hub, { readNews: reconciliation.readNews, take: hooks.take }), staff]
      : []),
  ]
  const token = adminToken(hub.env)
  if (token.file) hub.log.info({ file: token.file }, 'the API token is in this file')
  return {
    hub,
    hooks,
    mounts: [
      mountApi({ ...hub, rules, reconciliation }, token.token),
      (app) => app.use(surveyRouter(ownHub)),
      (app) => app.use(oauthRouter(hub)),
      (app) => app.use(chatPageRouter(hub, desk)),
    ],
    parts,
  }
}
