"""News for people: a verdict as a story, in the form of a webhook, Slack, a mail or an annotation in Grafana."""
