--- A process inside a machine.

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
