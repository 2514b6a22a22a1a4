"""A deployed suite with Amazon Personalize -> its data imported, a version trained, a campaign that answers."""
