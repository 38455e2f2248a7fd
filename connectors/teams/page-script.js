// Runs in the frame, after Microsoft's own library: it asks Teams for whom the page is, and how Teams looks.
window.chatTool = {
  async signIn(paint) {
    const { app, authentication } = window.microsoftTeams
    await app.initialize()
    app.registerOnThemeChangeHandler((theme) => paint(isDark(theme)))
    const [context, token] = await Promise.all([app.getContext(), authentication.getAuthToken()])
    paint(isDark(context.app.theme))
    app.notifySuccess()
    return { token, locale: context.app.locale }
  },
}

// Teams' high contrast is white on black.
function isDark(theme) {
  return theme === 'dark' || theme === 'contrast'
}
