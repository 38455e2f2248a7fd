import type { Messages } from './messages.ts'

export const en: Messages = {
  language: 'English',
  kinds: {
    csat: {
      question: 'How satisfied are you with the help you received?',
      comment: 'What went well, and what could we do better?',
      scores: ['Very dissatisfied', 'Dissatisfied', 'Neither', 'Satisfied', 'Very satisfied'],
      lowest: 'Very dissatisfied',
      highest: 'Very satisfied',
    },
    nps: {
      question: 'How likely are you to recommend us to a friend or colleague?',
      comment: 'What is the main reason for your score?',
      scores: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10'],
      lowest: 'Not at all likely',
      highest: 'Extremely likely',
    },
    ces: {
      question: 'How much do you agree: it was easy to get my issue solved?',
      comment: 'What would have made it easier?',
      scores: [
        'Strongly disagree',
        'Disagree',
        'Somewhat disagree',
        'Neither',
        'Somewhat agree',
        'Agree',
        'Strongly agree',
      ],
      lowest: 'Strongly disagree',
      highest: 'Strongly agree',
    },
  },
  page: {
    title: 'Your feedback',
    about: 'About your request “{subject}”',
    send: 'Send my answer',
    commentHint: 'Up to {max} characters. Please leave out passwords and card numbers.',
    optional: 'optional',
    oneAnswer: 'Nothing is recorded until you press the button. Each link takes one answer.',
    optOut: 'Please don’t ask me again',
    chooseScore: 'Please choose a score, then send your answer.',
    again: 'Your answer has not been recorded yet. Please check it and send it once more.',
    switchLanguage: 'Language',
  },
  thanks: {
    title: 'Thank you!',
    text: 'Your answer has been recorded and reaches the people who helped you.',
    score: 'Your score: {score} of {max}',
    comment: 'Your comment',
  },
  answered: {
    title: 'Already answered, thank you',
    text: 'This link takes one answer, and it has been given. There is nothing left to do.',
  },
  optedOut: { title: 'Understood', text: 'We will not send you any more surveys.' },
  stop: { title: 'No more surveys?', text: 'Press the button, and we will not send you any more surveys.' },
  expired: {
    title: 'This link has expired',
    text: 'The time to answer is over. If you want to tell us something, simply reply to our last message.',
  },
  notFound: {
    title: 'This link does not work',
    text: 'Please check that the whole address was copied, or open the link from the message again.',
  },
  tooMany: {
    title: 'One moment, please',
    text: 'There were many requests from your network. Please try again in a minute. Nothing has been recorded.',
  },
  tooLarge: {
    title: 'That was too long',
    text: 'Your answer has not been recorded. Please go back, shorten the comment and send it again.',
  },
  unavailable: {
    title: 'This did not work',
    text: 'Your answer could not be recorded just now. Please try again in a minute.',
  },
  message: {
    greeting: 'Your request has been solved. One question about it:',
    howTo: 'Choose an answer; the page that opens lets you add a comment and asks you to confirm.',
    until: 'You can answer until {date}.',
    stop: 'You do not want such questions?',
  },
}
