# What Sidekiq runs for sidekiq.rb.
require 'sidekiq'

redis = { url: "redis://127.0.0.1:#{ENV['ROX_PORT']}/0" }
Sidekiq.configure_server do |config|
  config.redis = redis
  config.options[:poll_interval_average] = 0.2
end
Sidekiq.configure_client { |config| config.redis = redis }

class Note
  include Sidekiq::Worker
  sidekiq_options retry: 3
  sidekiq_retry_in { 0 }

  def perform(text)
    Sidekiq.redis { |connection| connection.rpush('notes', text) }
  end
end

class Flaky
  include Sidekiq::Worker
  sidekiq_options retry: 3
  sidekiq_retry_in { 0 }

  def perform(name)
    tries = Sidekiq.redis { |connection| connection.incr("tries:#{name}") }
    raise 'not yet' if tries < 2
    Sidekiq.redis { |connection| connection.rpush('notes', "flaky #{tries}") }
  end
end
