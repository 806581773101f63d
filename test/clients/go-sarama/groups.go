// Level 2, consumer groups by the classic protocol, the only one this library speaks:
// commits and what a group resumes from, partitions shared by two members, static members, administration of groups.
package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

func groups(report *report, bench *bench) {
	bench.admin() // made before the checks run side by side
	g := groupChecks{bench}
	report.together(
		check{"a group reads every record once and resumes from its commit, classic protocol", g.resumes},
		check{"two members share the partitions, and the one that stays takes over, classic protocol", g.shares},
		check{"committed offsets are read back with their metadata, altered and deleted, classic protocol", g.commits},
		check{"a group is listed and described, kept while it has a member, and deleted when empty, classic protocol", g.administration},
		check{"a static member that comes back finds its partitions without a rebalance, classic protocol", g.staticMember},
		check{"the partitions of a member that dies go to the other when its session is over, classic protocol", g.dies},
	)
}

type groupChecks struct{ bench *bench }

// member runs a consumer group session after another until it is left, and passes on what it reads.
type member struct {
	group    sarama.ConsumerGroup
	messages chan *sarama.ConsumerMessage
	leave    context.CancelFunc
	ended    chan error

	mutex   sync.Mutex
	session sarama.ConsumerGroupSession
}

func (g groupChecks) join(group, topic string, options ...option) *member {
	named := func(c *sarama.Config) {
		c.ClientID = group
		c.Consumer.Group.Heartbeat.Interval = time.Second
		// A session must outlive the pause between two joins of a static member, but not the check.
		c.Consumer.Group.Session.Timeout = 15 * time.Second
		c.Consumer.Return.Errors = false
	}
	made, err := sarama.NewConsumerGroup(g.bench.brokers, group, config(append([]option{named}, options...)...))
	done(err, "making a member")
	ctx, leave := context.WithCancel(context.Background())
	m := &member{group: made, messages: make(chan *sarama.ConsumerMessage, 10_000), leave: leave, ended: make(chan error, 1)}
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			err = made.Consume(ctx, []string{topic}, m)
		}
		m.ended <- err
	}()
	return m
}

func (m *member) close() {
	m.leave()
	select {
	case <-m.ended:
	case <-time.After(wait):
		fail("the member is still in its session after %v", wait)
	}
	done(m.group.Close(), "closing the member")
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.session = session
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.session = nil
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case each, open := <-claim.Messages():
			if !open {
				return nil
			}
			m.messages <- each
		case <-session.Context().Done():
			return nil
		}
	}
}

// current is nil between two sessions.
func (m *member) current() sarama.ConsumerGroupSession {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.session
}

func (m *member) partitions() []int32 {
	session := m.current()
	if session == nil {
		return nil
	}
	var all []int32
	for _, partitions := range session.Claims() {
		all = append(all, partitions...)
	}
	slices.Sort(all)
	return all
}

func (m *member) read(count int) []*sarama.ConsumerMessage {
	var found []*sarama.ConsumerMessage
	late := time.After(wait)
	for len(found) < count {
		select {
		case each := <-m.messages:
			found = append(found, each)
		case err := <-m.ended:
			fail("the member's session ended: %v", err)
		case <-late:
			fail("%d of %d records after %v", len(found), count, wait)
		}
	}
	select {
	case more := <-m.messages:
		fail("one record more than %d, at offset %d of partition %d", count, more.Offset, more.Partition)
	case <-time.After(150 * time.Millisecond):
	}
	return found
}

func (m *member) commit(records []*sarama.ConsumerMessage) {
	session := m.current()
	expect(session != nil, "no session to commit in")
	for _, each := range records {
		session.MarkMessage(each, "")
	}
	session.Commit()
}

// expectEach: each of three partitions gave exactly the records from (inclusive) to (exclusive), in order.
func expectEach(records []*sarama.ConsumerMessage, from, to int) {
	for partition := range int32(3) {
		found := ofPartition(records, partition)
		equal(to-from, len(found), "the number of records of partition %d", partition)
		expectRun(found, int64(from), from)
	}
}

func ofPartition(records []*sarama.ConsumerMessage, partition int32) []*sarama.ConsumerMessage {
	return slices.DeleteFunc(slices.Clone(records), func(each *sarama.ConsumerMessage) bool { return each.Partition != partition })
}

func (g groupChecks) resumes() {
	topic, group := g.bench.topic("resume", 3), g.bench.name("resume")
	for partition := range int32(3) {
		g.bench.sendRun(topic, partition, 0, 300)
	}
	read := func(count int, commit bool) []*sarama.ConsumerMessage {
		m := g.join(group, topic)
		defer m.close()
		found := m.read(count)
		if commit {
			m.commit(found)
		}
		return found
	}
	expectEach(read(900, true), 0, 300)
	for partition := range int32(3) {
		g.bench.sendRun(topic, partition, 300, 350)
	}
	expectEach(read(150, false), 300, 350)
	// The second one left without a commit, so the third starts where the first committed.
	expectEach(read(150, false), 300, 350)
}

func (g groupChecks) shares() {
	topic, group := g.bench.topic("share", 4), g.bench.name("share")
	first, second := g.join(group, topic), g.join(group, topic)
	defer second.close()
	eventually("both have two partitions", func() bool { return len(first.partitions()) == 2 && len(second.partitions()) == 2 })
	all := append(first.partitions(), second.partitions()...)
	slices.Sort(all)
	expect(slices.Equal([]int32{0, 1, 2, 3}, all), "the two have %v between them", all)
	for partition := range int32(4) {
		g.bench.sendRun(topic, partition, 0, 100)
	}
	for _, each := range []*member{first, second} {
		found := each.read(200)
		for _, partition := range each.partitions() {
			own := ofPartition(found, partition)
			equal(100, len(own), "the number of records of partition %d", partition)
			expectRun(own, 0, 0)
		}
		each.commit(found)
	}
	first.close()
	eventually("the one that stays has all", func() bool { return len(second.partitions()) == 4 })
	for partition := range int32(4) {
		g.bench.sendRun(topic, partition, 100, 110)
	}
	for _, each := range second.read(40) {
		expect(each.Offset >= 100, "offset %d was read again after its commit", each.Offset)
	}
}

func (g groupChecks) commits() {
	topic, group := g.bench.topic("commits", 2), g.bench.name("commits")
	g.bench.sendRun(topic, 0, 0, 50)
	m := g.join(group, topic)
	m.read(50)
	const note = "to here, ¾ of the way"
	session := m.current()
	expect(session != nil, "no session to commit in")
	session.MarkOffset(topic, 0, 33, note)
	session.Commit()
	m.close()

	admin := g.bench.admin()
	committed := func(partition int32) *sarama.OffsetFetchResponseBlock {
		found, err := admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {partition}})
		done(err, "fetching offsets")
		block := found.GetGroupBlock(group, topic, partition)
		if block == nil {
			block = found.GetBlock(topic, partition)
		}
		expect(block != nil, "the partition is missing in the answer")
		done(none(block.Err), "fetching an offset")
		return block
	}
	equal(33, committed(0).Offset, "the committed offset")
	equal(note, committed(0).Metadata, "the metadata")
	equal(-1, committed(1).Offset, "the commit of a partition without one")

	// A group without members takes any offset from an administrator, and forgets one when told to.
	eventually("the group is empty", func() bool { return g.describe(group).State == "Empty" })
	answer, err := admin.AlterConsumerGroupOffsets(group, map[string]map[int32]sarama.OffsetAndMetadata{
		topic: {0: {Offset: 40, LeaderEpoch: -1}, 1: {Offset: 0, LeaderEpoch: -1}},
	}, nil)
	done(err, "altering offsets")
	for partition, code := range answer.Errors[topic] {
		done(none(code), fmt.Sprintf("altering the offset of partition %d", partition))
	}
	equal(40, committed(0).Offset, "the altered offset")
	done(admin.DeleteConsumerGroupOffset(group, topic, 1), "deleting an offset")
	equal(-1, committed(1).Offset, "the deleted offset")
	again := g.join(group, topic)
	defer again.close()
	expectRun(again.read(10), 40, 40)
}

func (g groupChecks) describe(group string) *sarama.GroupDescription {
	found, err := g.bench.admin().DescribeConsumerGroups([]string{group})
	done(err, "DescribeGroups")
	equal(1, len(found), "the number of groups described")
	return found[0]
}

func (g groupChecks) administration() {
	topic, group := g.bench.topic("admin", 2), g.bench.name("admin")
	admin := g.bench.admin()
	m := g.join(group, topic)
	eventually("the member has its partitions", func() bool { return len(m.partitions()) == 2 })
	found := g.describe(group)
	equal("Stable", found.State, "the group's state")
	equal("consumer", found.ProtocolType, "the protocol type")
	equal(1, len(found.Members), "the number of members")
	for _, member := range found.Members {
		equal(group, member.ClientId, "the member's client id")
		assignment, err := member.GetMemberAssignment()
		done(err, "reading the assignment")
		equal(2, len(assignment.Topics[topic]), "the number of partitions assigned")
	}
	listed, err := admin.ListConsumerGroups()
	done(err, "ListGroups")
	equal("consumer", listed[group], "the protocol type listed")
	refused(sarama.ErrNonEmptyGroup, admin.DeleteConsumerGroup(group), "deleting a group with a member")
	m.close()
	eventually("the group is empty", func() bool { return g.describe(group).State == "Empty" })
	done(admin.DeleteConsumerGroup(group), "deleting the empty group")
	// Up to version 5 of DescribeGroups a group that is not there is dead, and that is no error.
	equal("Dead", g.describe(group).State, "the state of the deleted group")
	refused(sarama.ErrGroupIDNotFound, admin.DeleteConsumerGroup(group), "deleting it again")
}

func (g groupChecks) staticMember() {
	topic, group := g.bench.topic("static", 4), g.bench.name("static")
	instance := func(id string) option { return func(c *sarama.Config) { c.Consumer.Group.InstanceId = id } }
	stays, leaves := g.join(group, topic, instance("stays")), g.join(group, topic, instance("leaves"))
	defer stays.close()
	eventually("both have two partitions", func() bool { return len(stays.partitions()) == 2 && len(leaves.partitions()) == 2 })
	kept, before, generation := stays.partitions(), leaves.partitions(), stays.current().GenerationID()
	leaves.close()
	again := g.join(group, topic, instance("leaves"))
	defer again.close()
	eventually("the one that came back has partitions", func() bool { return len(again.partitions()) > 0 })
	equal(fmt.Sprint(before), fmt.Sprint(again.partitions()), "what the one that came back has")
	equal(fmt.Sprint(kept), fmt.Sprint(stays.partitions()), "what the other has")
	equal(generation, again.current().GenerationID(), "the generation")
}

// wires are the connections of a client that can be cut all at once, and then no others are made: to the broker it is dead.
type wires struct {
	mutex sync.Mutex
	cut   bool
	all   []net.Conn
}

// Dial makes it what sarama takes for a proxy.
func (w *wires) Dial(network, address string) (net.Conn, error) {
	made, err := net.DialTimeout(network, address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.cut {
		made.Close()
		return nil, net.ErrClosed
	}
	w.all = append(w.all, made)
	return made, nil
}

func (w *wires) die() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.cut = true
	for _, each := range w.all {
		each.Close()
	}
}

func (g groupChecks) dies() {
	topic, group := g.bench.topic("dies", 4), g.bench.name("dies")
	short := func(c *sarama.Config) { c.Consumer.Group.Session.Timeout = 6 * time.Second }
	wires := &wires{}
	dying := g.join(group, topic, short, func(c *sarama.Config) { c.Net.Proxy.Enable, c.Net.Proxy.Dialer = true, wires })
	stays := g.join(group, topic, short)
	defer stays.close()
	eventually("both have two partitions", func() bool { return len(dying.partitions()) == 2 && len(stays.partitions()) == 2 })
	wires.die()
	dying.leave() // it can no longer say so
	eventually("the one that stays has all", func() bool { return len(stays.partitions()) == 4 })
	for partition := range int32(4) {
		g.bench.sendRun(topic, partition, 0, 10)
	}
	found := stays.read(40)
	for partition := range int32(4) {
		expectRun(ofPartition(found, partition), 0, 0)
	}
}
