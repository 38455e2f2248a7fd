// Runs in the frame, after Microsoft's own library: it asks Teams for whom the page is.
window.chatTool = {
  async signIn() {
    const { app, authentication } = window.microsoftTeams
    await app.initialize()
    const [context, token] = await Promise.all([app.getContext(), authentication.getAuthToken()])
    app.notifySuccess()
    return { token, locale: context.app.locale }
  },
}
