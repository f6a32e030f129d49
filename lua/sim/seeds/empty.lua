--- An account with one user, a personal organization, and nothing in it.
--- Data only.

return {
  seed = 7,
  users = { { id = "user_sim", email = "sim@example.com", name = "Sim User" } },
  orgs = {
    {
      slug = "personal", raw_slug = "sim-user", name = "Sim User",
      type = "PERSONAL", members = { { user = "user_sim" } },
    },
  },
}
