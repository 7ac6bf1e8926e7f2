# Sidekiq: jobs at once, in bulk, later and again after a failure, run by a process of its own.
require_relative 'sidekiq_worker'
require 'sidekiq/api'

def check(condition, what)
  raise what unless condition
end

Sidekiq.redis(&:flushall)
Note.perform_async('first')
Note.perform_in(1, 'later')
check(Sidekiq::ScheduledSet.new.size == 1, 'one is scheduled')
check(Sidekiq::Queue.new.size == 1, 'one is queued')
server = spawn('sidekiq', '-r', File.join(__dir__, 'sidekiq_worker.rb'), '-c', '5', '-t', '5',
               out: '/dev/null')
begin
  Sidekiq::Client.push_bulk('class' => Note, 'args' => (1..100).map { |i| ["bulk #{i}"] })
  Flaky.perform_async('a')
  expected = ['first', 'later', 'flaky 2'] + (1..100).map { |i| "bulk #{i}" }
  notes = []
  300.times do
    notes = Sidekiq.redis { |connection| connection.lrange('notes', 0, -1) }
    break if notes.size == expected.size
    sleep 0.2
  end
  check(notes.sort == expected.sort, "notes: #{(expected - notes).first(5)} are missing")
  stats = nil
  100.times do
    stats = Sidekiq::Stats.new
    break if stats.processed == 104
    sleep 0.2
  end
  check(stats.processed == 104 && stats.failed == 1, "processed #{stats.processed}, failed #{stats.failed}")
  check(stats.enqueued.zero? && stats.retry_size.zero? && stats.dead_size.zero?, 'all is done')
  check(Sidekiq::ProcessSet.new.size == 1, 'the process is known')
ensure
  Process.kill('TERM', server)
  Process.wait(server)
end
