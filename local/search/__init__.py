"""The search of posts: its template and dashboards put to a domain, and the queries that the dashboards ask."""
