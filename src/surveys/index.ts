/**
 * In: solved cases, and answers on the page /s/{token}. Out: invitations with their reasons, one question per person,
 * responses, ratings for the desks, events for the rules. Never here: a vendor call; a vote by GET.
 */
import { z } from 'zod'
import type { Hub } from '#hub/hub.ts'
import { type SurveyHub, sendDue, sendJob } from './asking.ts'
import { expire } from './store.ts'

export { answerInChat } from './answering.ts'
export { cancelSurveys, planSurveys, type SolvedCase, type SurveyHub, sendDue } from './asking.ts'
export { questionIn, type SurveyDefinition, validateSurvey } from './definition.ts'
export {
  type InvitationLine,
  invitationsPage,
  type ResponseLine,
  responsesPage,
  surveyDecisions,
  surveyResults,
} from './reports.ts'
export { surveyRouter } from './router.ts'
export { loadOpened, loadSurveys, saveSurvey } from './store.ts'

const SendJob = z.object({ invitationId: z.string() })

/** Registers the room's jobs. Call it before the queue starts. */
export async function defineSurveyJobs(hub: SurveyHub & Pick<Hub, 'queue'>): Promise<void> {
  await hub.queue.define(sendJob, SendJob, async (jobs) => {
    await sendDue(
      hub,
      jobs.map((job) => job.invitationId),
      hub.now(),
    )
  })
  await hub.queue.define('survey.expire', z.object({}), async () => {
    await expire(hub.db, hub.now())
  })
  await hub.queue.schedule('survey.expire', { everySeconds: 3600 })
}
