--- A database of an unmanaged cluster that an app was given, and the secret that
--- tells the app of it.

return {
  object = {
    id = "string", database = "string?", user = "string?", variable = "string?",
  },
}
