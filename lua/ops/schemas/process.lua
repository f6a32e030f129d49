--- A process inside a machine.
--- Data: the shape of a reply.

return {
  object = {
    pid = "integer",
    command = "string?",
    directory = "string?",
    cpu = "integer?",
    rss = "integer?",
    rtime = "integer?",
    stime = "integer?",
    listen_sockets = { list = "any", optional = true },
  },
}
